package dev.gptq.spark.data;

import java.util.Arrays;

/** Writes a number or an array of numbers, also a nested one, in row-major order; checks its shape on the way. */
final class Flattener {
    private final String column;
    private final long[] shape;
    private final double[] target;
    private int position;

    Flattener(String column, long[] shape, double[] target) {
        this.column = column;
        this.shape = shape;
        this.target = target;
    }

    void flatten(Object value) throws BadSampleException {
        append(value, 0);
        if (position != target.length) {
            throw wrongShape();
        }
    }

    private void append(Object value, int level) throws BadSampleException {
        if (value == null) {
            throw new BadSampleException("column '" + column + "' holds a null at position " + position);
        } else if (value instanceof scala.collection.Seq<?> values) {
            boolean nested = level > 0 || (values.nonEmpty() && values.head() instanceof scala.collection.Seq<?>);
            // A flat array may hold any shape; a nested one that differs from the input's is a mistake.
            if (nested && (level >= shape.length || values.size() != shape[level])) {
                throw wrongShape();
            }
            for (var iterator = values.iterator(); iterator.hasNext(); ) {
                append(iterator.next(), level + 1);
            }
        } else {
            if (position == target.length) {
                throw wrongShape();
            }
            target[position++] = value instanceof Boolean flag ? (flag ? 1 : 0) : ((Number) value).doubleValue();
        }
    }

    private BadSampleException wrongShape() {
        return new BadSampleException("column '" + column + "' does not have the " + target.length + " values of shape "
                + Arrays.toString(shape));
    }
}
