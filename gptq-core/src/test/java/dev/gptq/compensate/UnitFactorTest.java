package dev.gptq.compensate;

import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class UnitFactorTest {
    private static final int SIZE = 7;

    @Test
    void theFactorsMultiplyToTheMatrix() {
        double[][] matrix = positiveDefinite();
        double[][] rows = new double[SIZE][];
        for (int k = 0; k < SIZE; k++) {
            rows[k] = matrix[k].clone();
        }

        UnitFactor.factorize(rows);

        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < SIZE; j++) {
                double product = 0;
                for (int k = Math.max(i, j); k < SIZE; k++) {
                    product += upper(rows, i, k) * rows[k][k] * upper(rows, j, k);
                }
                assertThat(product).isCloseTo(matrix[i][j], within(1e-12));
            }
        }
    }

    private static double upper(double[][] rows, int i, int k) {
        return i == k ? 1 : rows[k][i];
    }

    private static double[][] positiveDefinite() {
        Random random = new Random(3);
        double[][] root = new double[SIZE][SIZE];
        for (double[] row : root) {
            for (int i = 0; i < SIZE; i++) {
                row[i] = random.nextGaussian();
            }
        }
        double[][] matrix = new double[SIZE][SIZE];
        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < SIZE; j++) {
                for (double[] row : root) {
                    matrix[i][j] += row[i] * row[j];
                }
            }
            matrix[i][i] += 0.1;
        }
        return matrix;
    }
}
