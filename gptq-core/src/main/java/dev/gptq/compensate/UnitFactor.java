package dev.gptq.compensate;

/**
 * The factors of a symmetric positive definite matrix A = U D U^T, with U upper triangular and ones on its diagonal. The error
 * of one weight is made up for by the weights of higher index: d^T A d = sum_k D_k (d_k + sum_{i less than k} U_ik d_i)^2.
 */
final class UnitFactor {
    private UnitFactor() {}

    /**
     * Replaces the lower triangle of {@code rows}, A's, by U's columns: afterwards {@code rows[k][i]} is U_ik for i below k.
     *
     * @param rows [size][at least k + 1 in row k]
     */
    static void factorize(double[][] rows) {
        for (int k = rows.length - 1; k > 0; k--) {
            double[] column = rows[k];
            double scale = 1 / column[k];
            for (int i = 0; i < k; i++) {
                subtract(rows[i], column, column[i] * scale, i + 1);
            }
            for (int i = 0; i < k; i++) {
                column[i] *= scale;
            }
        }
    }

    private static void subtract(double[] row, double[] column, double factor, int count) {
        for (int j = 0; j < count; j++) {
            row[j] -= factor * column[j];
        }
    }
}
