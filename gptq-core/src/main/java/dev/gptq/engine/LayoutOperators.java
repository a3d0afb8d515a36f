package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.Map;

/** Operators that repeat, split and rearrange values, and those that make tensors from shapes. */
final class LayoutOperators {
    private LayoutOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Expand", LayoutOperators::expand);
        table.put("Tile", call -> call.x().tile(call.longs(1)));
        table.put("Split", Operator.several(LayoutOperators::split));
        table.put("DepthToSpace", LayoutOperators::depthToSpace);
        table.put("SpaceToDepth", LayoutOperators::spaceToDepth);
        table.put("Trilu", LayoutOperators::triangle);
        table.put("Size", call -> call.manager().create(call.x().size()));
        table.put("ConstantOfShape", LayoutOperators::constantOfShape);
    }

    private static NDArray expand(Call call) {
        return call.x().broadcast(Broadcasting.shapeOf(call.shape(0), call.longs(1)));
    }

    private static NDArray[] split(Call call) {
        long[] shape = call.shape(0);
        int axis = call.axis("axis", 0, shape.length);
        int count = call.node().outputs().size();
        long[] sizes = call.longsOr(1, null);
        if (sizes == null) {
            long part = (shape[axis] + count - 1) / count;
            sizes = Window.filled(count, part);
            sizes[count - 1] = shape[axis] - part * (count - 1);
        }
        if (sizes.length != count || Arrays.stream(sizes).sum() != shape[axis]) {
            throw call.failure("parts of sizes " + Arrays.toString(sizes) + " do not make up dimension " + axis
                    + " of shape " + Arrays.toString(shape));
        }
        NDArray[] parts = new NDArray[count];
        long from = 0;
        for (int i = 0; i < count; i++) {
            NDArray part = IndexOperators.slice(call.x(), axis, from, from + sizes[i], 1);
            parts[i] = part == call.x() ? Call.alias(part) : part;
            from += sizes[i];
        }
        return parts;
    }

    private static NDArray depthToSpace(Call call) {
        long[] s = call.shape(0);
        long block = call.node().integer("blocksize", 1);
        long depth = s[1] / (block * block);
        NDArray spread = call.node().text("mode", "DCR").equals("DCR")
                ? Call.reshape(call.x(), s[0], block, block, depth, s[2], s[3]).transpose(0, 3, 4, 1, 5, 2)
                : Call.reshape(call.x(), s[0], depth, block, block, s[2], s[3]).transpose(0, 1, 4, 2, 5, 3);
        return Call.reshape(spread, s[0], depth, s[2] * block, s[3] * block);
    }

    private static NDArray spaceToDepth(Call call) {
        long[] s = call.shape(0);
        long block = call.node().integer("blocksize", 1);
        NDArray spread = Call.reshape(call.x(), s[0], s[1], s[2] / block, block, s[3] / block, block);
        return Call.reshape(spread.transpose(0, 3, 5, 1, 2, 4), s[0], s[1] * block * block, s[2] / block, s[3] / block);
    }

    /** Keeps the upper or lower triangle of the last two dimensions; zeros elsewhere, whatever the values there. */
    private static NDArray triangle(Call call) {
        long[] shape = call.shape(0);
        long diagonal = call.has(1) ? call.longs(1)[0] : 0;
        boolean upper = call.node().integer("upper", 1) != 0;
        int rows = (int) shape[shape.length - 2];
        int columns = (int) shape[shape.length - 1];
        boolean[] kept = new boolean[rows * columns];
        for (int i = 0; i < kept.length; i++) {
            long distance = i % columns - i / columns;
            kept[i] = upper ? distance >= diagonal : distance <= diagonal;
        }
        NDArray mask = call.manager()
                .create(kept, new Shape(rows, columns))
                .broadcast(call.x().getShape());
        return call.functions().where(mask, call.x().zerosLike());
    }

    private static NDArray constantOfShape(Call call) {
        Shape shape = new Shape(call.longs(0));
        if (!(call.node().attributes().get("value") instanceof TensorData value)) {
            return call.manager().zeros(shape, DataType.FLOAT32);
        }
        NDArray one = Engines.toArray(call.manager(), value.reshape());
        return one.broadcast(shape);
    }
}
