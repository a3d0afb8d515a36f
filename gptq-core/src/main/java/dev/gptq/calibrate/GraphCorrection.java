package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * A change of the float graph that statistics ask for. Network outputs and their gradients stay the same up to rounding.
 *
 * @param layer name of the compare point whose bias changes
 * @param tensor SHIFT_NEGATIVE: the activation function's output; SOFTMAX_SHIFT: the layer's output
 * @param shiftedTensor SHIFT_NEGATIVE: name of the new tensor {@code tensor + shift}; SOFTMAX_SHIFT: the same as
 *     {@code tensor}
 * @param shift what is added to every element
 */
public record GraphCorrection(Kind kind, String layer, String tensor, String shiftedTensor, float shift)
        implements Serializable {
    /** Why a tensor is shifted. */
    public enum Kind {
        /** So that an activation with few negative values fits an unsigned grid (MCT shift_negative_activation). */
        SHIFT_NEGATIVE,
        /** So that the input of a Softmax, which no constant changes, is centred at zero (MCT softmax_shift). */
        SOFTMAX_SHIFT
    }
}
