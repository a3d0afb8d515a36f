package dev.gptq.train;

import java.util.List;

/** A {@link ParameterPiece} with its variables and their optimizers. Different pieces may be used by different threads. */
abstract class TrainedPiece {
    final ParameterPiece piece;

    TrainedPiece(ParameterPiece piece) {
        this.piece = piece;
    }

    /** Writes the piece's elements of the student's parameters. */
    abstract void writeTo(float[] values);

    /**
     * Updates the variables.
     *
     * @param gradient with respect to the piece's elements, which begin at {@code position}
     * @return the regularization's value
     */
    abstract double update(float[] gradient, int position, int step, int totalSteps);

    /** Everything a checkpoint holds of this piece. */
    abstract List<TrainedGroup> groups();
}
