package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** Compares fed arrays with what a graph declares, before native code sees them. */
final class FeedCheck {
    private static final long DYNAMIC = -1;

    private FeedCheck() {}

    static void requireInput(Graph graph, ValueInfo input, NDArray feed) {
        long[] given = feed.getShape().getShape();
        long[] declared = input.shape();
        boolean fits = given.length == declared.length;
        for (int i = 0; fits && i < given.length; i++) {
            fits = declared[i] == DYNAMIC || declared[i] == given[i];
        }
        if (!fits || feed.getDataType() != Engines.toDataType(input.type())) {
            throw GptqException.badInput(
                    "Cannot run model '%s': input '%s' is %s%s but was given %s%s. Convert the data to the model's shape.",
                    graph.name(),
                    input.name(),
                    input.type(),
                    Arrays.toString(declared),
                    feed.getDataType(),
                    Arrays.toString(given));
        }
    }

    static void requireConstant(Graph graph, String name, NDArray feed) {
        TensorData constant = graph.constants().get(name);
        boolean fits = Arrays.equals(feed.getShape().getShape(), constant.shape())
                && feed.getDataType() == Engines.toDataType(constant.type());
        if (!fits) {
            throw GptqException.badInput(
                    "Cannot run model '%s': constant '%s' is %s but was replaced by %s%s. Keep its type and shape.",
                    graph.name(), name, constant, feed.getDataType(), feed.getShape());
        }
    }

    static String names(List<ValueInfo> values) {
        return values.stream().map(value -> "'" + value.name() + "'").collect(Collectors.joining(", "));
    }

    static GptqException failed(Node node, NDArray[] inputs, RuntimeException cause) {
        String shapes = Arrays.stream(inputs)
                .filter(Objects::nonNull)
                .map(input -> input.getShape().toString())
                .collect(Collectors.joining(", "));
        String reason = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
        return new GptqException(
                ErrorCode.BAD_INPUT,
                "Cannot run node '" + node.name() + "' (" + node.opType() + ") on inputs of shapes " + shapes + ": "
                        + reason + ". Check that the model fits the data.",
                cause);
    }
}
