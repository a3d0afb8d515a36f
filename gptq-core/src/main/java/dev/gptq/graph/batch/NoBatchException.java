package dev.gptq.graph.batch;

/** Why a dimension is no batch, in words that go on after a colon and have no full stop. */
final class NoBatchException extends Exception {
    private static final long serialVersionUID = 1;

    NoBatchException(String reason) {
        super(reason);
    }
}
