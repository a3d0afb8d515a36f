package dev.gptq.graph;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The body of an If, Loop or Scan node, kept as it is in the model file.
 *
 * @param proto the serialized GraphProto
 * @param captured tensors of the surrounding graph that the body reads, by the names it uses for them
 * @param locals names of all tensors that the body (or a body within) makes itself
 * @param operators names of all operators in the body (or in a body within)
 */
public record Subgraph(byte[] proto, List<String> captured, Set<String> locals, Set<String> operators)
        implements Serializable {
    public Subgraph {
        captured = List.copyOf(captured);
        locals = Set.copyOf(locals);
        operators = Set.copyOf(operators);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Subgraph that && Arrays.equals(proto, that.proto);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(proto);
    }

    @Override
    public String toString() {
        return "Subgraph of " + proto.length + " bytes, captured " + captured;
    }
}
