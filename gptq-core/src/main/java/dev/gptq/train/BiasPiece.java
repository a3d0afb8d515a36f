package dev.gptq.train;

import dev.gptq.config.OptimizerConfig;
import java.util.Arrays;
import java.util.List;

/** Biases, which the student runs as they are. */
final class BiasPiece extends TrainedPiece {
    static final String NAME = "bias";

    private final TrainedGroup bias;

    /** {@code biases} are those of the piece; without an optimizer (null) they stay. */
    BiasPiece(ParameterPiece piece, float[] biases, OptimizerConfig optimizer) {
        super(piece);
        this.bias = new TrainedGroup(NAME, biases, optimizer);
    }

    @Override
    void writeTo(float[] values) {
        System.arraycopy(bias.values(), 0, values, piece.from(), piece.size());
    }

    @Override
    double update(float[] gradient, int position, int step, int totalSteps) {
        bias.update(Arrays.copyOfRange(gradient, position, position + piece.size()), step, totalSteps);
        return 0;
    }

    @Override
    List<TrainedGroup> groups() {
        return List.of(bias);
    }
}
