package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.SamplePlace;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/** Finds the samples in tensors inside a model, and brings them to the front. */
public final class SamplePlaces {
    private static final int PAIR = 2;
    /** Relative to a tensor's largest value: what rounding in another order may change. */
    private static final double SAME = 1e-5;

    private SamplePlaces() {}

    /**
     * Where tensors have their samples, found by running two samples, and the first of them twice: what the second one
     * changes is its own. Values are looked at only of tensors whose first dimension is not the number of samples.
     *
     * @param model on the CPU
     * @param tensors names
     * @param batch of samples that the model takes
     * @return places other than the first dimension; nothing for tensors that mix samples, and for a batch of equal samples
     */
    public static Map<String, SamplePlace> find(GraphExecutor model, Set<String> tensors, SampleBatch batch) {
        Set<String> first = new HashSet<>();
        run(model, tensors, batch.part(0, 1), (tensor, value) -> {
            if (value.getShape().get(0) == 1) {
                first.add(tensor);
            }
        });
        Map<String, TensorData> twice = values(model, tensors, pair(batch, 0), first);
        Map<String, SamplePlace> places = new HashMap<>();
        boolean differs = twice.isEmpty();
        for (int other = 1; other < batch.size() && !differs; other++) {
            for (Map.Entry<String, TensorData> tensor :
                    values(model, twice.keySet(), pair(batch, other), Set.of()).entrySet()) {
                boolean[] changed = changed(twice.get(tensor.getKey()), tensor.getValue());
                if (changed == null) {
                    continue;
                }
                differs = true;
                SamplePlace place = place(tensor.getValue().shape(), changed);
                if (place != null && !place.equals(SamplePlace.FIRST)) {
                    places.put(tensor.getKey(), place);
                }
            }
        }
        return places;
    }

    /**
     * A view of {@code value} whose first dimension has the samples; the value itself where they are there.
     *
     * @param place null: the first dimension
     * @return [samples, ...]; the value when the place does not fit its shape
     */
    public static NDArray first(NDArray value, int samples, SamplePlace place) {
        long[] shape = value.getShape().getShape();
        SamplePlace where = place == null ? SamplePlace.FIRST : place;
        long blocks = where.blocks(shape, samples);
        if (blocks == 0 || blocks == 1 && shape[0] == samples) {
            return value;
        }
        List<Long> apart = new ArrayList<>(blocks == 1 ? List.of((long) samples) : List.of(blocks, (long) samples));
        int axis = 0;
        long seen = 1;
        while (seen % (blocks * samples) != 0) {
            seen *= shape[axis++];
        }
        if (seen > blocks * samples) {
            apart.add(seen / (blocks * samples));
        }
        for (; axis < shape.length; axis++) {
            apart.add(shape[axis]);
        }
        NDArray split = value.reshape(
                new Shape(apart.stream().mapToLong(Long::longValue).toArray()));
        return blocks == 1 ? split : split.swapAxes(0, 1);
    }

    private static SampleBatch pair(SampleBatch batch, int other) {
        Map<String, TensorData> inputs = new HashMap<>();
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            batch.inputs().forEach((name, tensor) -> {
                NDArray both = Engines.toArray(scope, tensor.part(0, 1))
                        .concat(Engines.toArray(scope, tensor.part(other, 1)), 0);
                inputs.put(name, Engines.toTensor(both, tensor.type()));
            });
        }
        return new SampleBatch(batch.firstIndex(), PAIR, inputs, null);
    }

    /** Of those tensors that do not have the pair in their first dimension, if {@code first} says that one sample was there. */
    private static Map<String, TensorData> values(
            GraphExecutor model, Set<String> tensors, SampleBatch pair, Set<String> first) {
        Map<String, TensorData> values = new HashMap<>();
        run(model, tensors, pair, (tensor, value) -> {
            if (!first.contains(tensor) || value.getShape().get(0) != PAIR) {
                values.put(tensor, Engines.toTensor(value));
            }
        });
        return values;
    }

    private static void run(
            GraphExecutor model, Set<String> tensors, SampleBatch batch, BiConsumer<String, NDArray> look) {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording paused = Autograd.pause()) {
            TensorHook hook = (tensor, value) -> {
                if (tensors.contains(tensor)) {
                    look.accept(tensor, value);
                }
                return value;
            };
            // No array is kept: all are looked at when they come.
            model.run(scope, Engines.toArrays(scope, batch.inputs()), hook, Set.of());
        }
    }

    /** Which elements differ; null when none does. */
    private static boolean[] changed(TensorData one, TensorData two) {
        float[] a = one.floats();
        float[] b = two.floats();
        double largest = 0;
        for (float value : a) {
            largest = Math.max(largest, Math.abs(value));
        }
        boolean[] changed = new boolean[a.length];
        boolean any = false;
        for (int i = 0; i < a.length; i++) {
            changed[i] = Math.abs((double) a[i] - b[i]) > SAME * largest;
            any |= changed[i];
        }
        return any ? changed : null;
    }

    /** The first place that has all changes in the second sample; null when there is none. */
    private static SamplePlace place(long[] shape, boolean[] changed) {
        for (int axis = 0; axis < shape.length; axis++) {
            for (boolean innermost : new boolean[] {false, true}) {
                SamplePlace place = new SamplePlace(axis, innermost);
                long blocks = place.blocks(shape, PAIR);
                if (blocks > 0 && isSecond(changed, changed.length / (blocks * PAIR))) {
                    return place;
                }
            }
        }
        return null;
    }

    private static boolean isSecond(boolean[] changed, long perSample) {
        for (int i = 0; i < changed.length; i++) {
            if (changed[i] && i / perSample % PAIR == 0) {
                return false;
            }
        }
        return true;
    }
}
