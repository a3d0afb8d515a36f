package dev.gptq.spark.train;

import dev.gptq.spark.exchange.Members;
import dev.gptq.train.ParameterPiece;
import java.util.ArrayList;
import java.util.List;

/**
 * Pieces grouped into slices, the units of work and of messages: many enough to spread evenly, large enough for a message to
 * be worth its way. How pieces are grouped changes no bit.
 *
 * @param firstPieces the first piece of each slice, and the number of pieces
 * @param borders the first element of each slice, and the number of elements
 */
record SegmentSlices(int[] firstPieces, int[] borders) {
    static SegmentSlices of(List<ParameterPiece> pieces, Members members) {
        int wanted = members.sliceLength(pieces.get(pieces.size() - 1).to());
        List<Integer> first = new ArrayList<>(List.of(0));
        List<Integer> borders = new ArrayList<>(List.of(0));
        for (int piece = 0; piece < pieces.size(); piece++) {
            int begin = borders.get(borders.size() - 1);
            boolean isLast = piece == pieces.size() - 1;
            if (isLast || pieces.get(piece + 1).to() - begin > wanted) {
                first.add(piece + 1);
                borders.add(pieces.get(piece).to());
            }
        }
        return new SegmentSlices(
                first.stream().mapToInt(Integer::intValue).toArray(),
                borders.stream().mapToInt(Integer::intValue).toArray());
    }

    int firstPiece(int slice) {
        return firstPieces[slice];
    }

    int endPiece(int slice) {
        return firstPieces[slice + 1];
    }
}
