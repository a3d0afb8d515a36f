package dev.gptq.train;

import dev.gptq.GptqException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a checkpoint holds of each piece: variables and optimizer state by name. A checkpoint's array of a name is those of
 * all pieces that have it, one after the other.
 */
final class StateLayout {
    private final List<Map<String, Integer>> lengths = new ArrayList<>();

    /** Notes what the next piece holds. */
    void add(TrainedPiece piece) {
        Map<String, Integer> ofPiece = new TreeMap<>();
        arrays(piece).forEach((name, array) -> ofPiece.put(name, array.length));
        lengths.add(ofPiece);
    }

    /** Lengths by name of what pieces [first, end) hold together. */
    Map<String, Integer> lengths(int first, int end) {
        Map<String, Integer> sums = new TreeMap<>();
        lengths.subList(first, end)
                .forEach(ofPiece -> ofPiece.forEach((name, length) -> {
                    sums.merge(name, length, Math::addExact);
                }));
        return sums;
    }

    /** A copy of the pieces' arrays; {@code pieces} may be some of all, which then are all there is. */
    static TrainerState collect(int step, List<TrainedPiece> pieces) {
        Map<String, List<float[]>> parts = new TreeMap<>();
        for (TrainedPiece piece : pieces) {
            arrays(piece).forEach((name, array) -> parts.computeIfAbsent(name, key -> new ArrayList<>())
                    .add(array));
        }
        return TrainerState.concatenate(step, parts);
    }

    /** Copies a whole state into the pieces, of which some may be null; nothing changes unless names and sizes all agree. */
    void restore(TrainerState state, List<TrainedPiece> pieces) {
        check(state);
        Map<String, Integer> positions = new TreeMap<>();
        for (int i = 0; i < pieces.size(); i++) {
            Map<String, float[]> targets = pieces.get(i) == null ? Map.of() : arrays(pieces.get(i));
            lengths.get(i).forEach((name, length) -> {
                int begin = positions.merge(name, length, Integer::sum) - length;
                if (targets.containsKey(name)) {
                    System.arraycopy(state.arrays().get(name), begin, targets.get(name), 0, length);
                }
            });
        }
    }

    private void check(TrainerState state) {
        Map<String, Integer> expected = lengths(0, lengths.size());
        if (!expected.keySet().equals(state.arrays().keySet())) {
            throw GptqException.badInput(
                    "Cannot resume training: the checkpoint holds %s and this configuration trains %s."
                            + " Use the configuration the checkpoint was written with, or start a new run.",
                    state.arrays().keySet(), expected.keySet());
        }
        expected.forEach((name, length) -> {
            if (length != state.arrays().get(name).length) {
                throw GptqException.badInput(
                        "Cannot resume training: the checkpoint's %s has %d values and this model's has %d."
                                + " Use the model the checkpoint was written with, or start a new run.",
                        name, state.arrays().get(name).length, length);
            }
        });
    }

    private static Map<String, float[]> arrays(TrainedPiece piece) {
        Map<String, float[]> arrays = new TreeMap<>();
        piece.groups().forEach(group -> arrays.putAll(group.arrays()));
        return arrays;
    }
}
