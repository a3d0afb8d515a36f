package dev.gptq.export;

import dev.gptq.GptqException;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.graph.ElementType;
import java.util.List;

/** How an activation's integers are stored: a signed grid in an unsigned type is shifted up, which changes no real value. */
record StoredActivation(ElementType type, long minimum, long maximum, long zeroPoint) {
    private static final int BYTE = 8;
    private static final int SHORT = 16;

    /** The types of all activations of a plan. */
    record Types(boolean signed) {
        /**
         * Signed when every grid is, else unsigned. Runtimes make an operator an integer one only when the types of its
         * inputs and its output are the same.
         */
        static Types of(List<ActivationQuantizer> activations) {
            return new Types(
                    activations.stream().allMatch(quantizer -> quantizer.grid().minimum() < 0));
        }

        /** @throws GptqException UNSUPPORTED_MODEL for a grid that no type holds */
        StoredActivation store(ActivationQuantizer quantizer) {
            QuantizationGrid grid = quantizer.grid();
            long steps = (long) grid.maximum() - grid.minimum();
            if (steps >= 1L << SHORT) {
                throw GptqException.unsupported(
                        "Cannot export activation '%s' of %d bits: its integers do not fit into 16 bits. Set"
                                + " quantization.activations.bits to 16 or less.",
                        quantizer.tensor(), quantizer.bits());
            }
            boolean wide = steps >= 1L << BYTE;
            long shift = !signed && grid.minimum() < 0 ? -grid.minimum() : 0;
            return new StoredActivation(
                    signed
                            ? wide ? ElementType.INT16 : ElementType.INT8
                            : wide ? ElementType.UINT16 : ElementType.UINT8,
                    grid.minimum() + shift,
                    grid.maximum() + shift,
                    grid.zeroPoint()[0] + shift);
        }
    }

    long typeMinimum() {
        return switch (type) {
            case INT8 -> Byte.MIN_VALUE;
            case INT16 -> Short.MIN_VALUE;
            default -> 0;
        };
    }

    long typeMaximum() {
        return typeMinimum() + (type == ElementType.INT8 || type == ElementType.UINT8 ? 1L << BYTE : 1L << SHORT) - 1;
    }

    /** Whether the grid has all values of its type; QuantizeLinear itself clips only to those. */
    boolean fillsType() {
        return minimum == typeMinimum() && maximum == typeMaximum();
    }
}
