package dev.gptq.evaluate;

import java.io.Serializable;

/**
 * Sums over samples that compare the outputs of one quantized model with the float model's.
 *
 * @param correct samples whose label is the model's class
 * @param agreed samples for which both models choose the same class
 * @param signal sum of squared float outputs
 * @param noise sum of squared differences
 * @param cosine sum of per-sample cosine similarities, all outputs of a sample taken as one vector
 */
record OutputSums(long correct, long agreed, double signal, double noise, double cosine) implements Serializable {
    OutputSums plus(OutputSums next) {
        return new OutputSums(
                correct + next.correct,
                agreed + next.agreed,
                signal + next.signal,
                noise + next.noise,
                cosine + next.cosine);
    }
}
