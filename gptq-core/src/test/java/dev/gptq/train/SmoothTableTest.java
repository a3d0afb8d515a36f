package dev.gptq.train;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class SmoothTableTest {
    @Test
    void valuesLieWithinTheErrorBoundUpToBothEnds() {
        SmoothTable sine = new SmoothTable(-1, 2, 100, Math::sin, Math::cos);
        // h^4 / 384 with h = 0.03, and |sin''''| <= 1
        double bound = 8.1e-7 / 384 + 1e-15;
        for (int i = 0; i <= 3000; i++) {
            double x = Math.min(2, -1 + i * 1e-3);
            assertThat(sine.at(x)).isCloseTo(Math.sin(x), within(bound));
        }
    }

    @Test
    void theSigmoidIsExactToFloatWhereItIsNotClipped() {
        for (float alpha = -2.4f; alpha <= 2.4f; alpha += 0.0013f) {
            double exact = 1 / (1 + StrictMath.exp(-alpha));
            double halfUlp = Math.ulp((float) exact) / 2;
            assertThat((double) RectifiedSigmoid.sigmoid(alpha)).isCloseTo(exact, within(halfUlp * 1.01));
        }
    }

    @Test
    void farRoundingVariablesAreClippedAndDoNotMove() {
        for (float alpha : new float[] {-40, -2.45f, 2.45f, 1e30f}) {
            float sigmoid = RectifiedSigmoid.sigmoid(alpha);
            float stretched = RectifiedSigmoid.stretched(sigmoid);
            assertThat(RectifiedSigmoid.clipped(stretched)).isEqualTo(alpha < 0 ? 0f : 1f);
            assertThat(RectifiedSigmoid.slope(sigmoid, stretched)).isZero();
        }
    }
}
