package dev.gptq.graph;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The body of an If, Loop or Scan node, kept as it is in the model file.
 *
 * @param proto the serialized GraphProto
 * @param captured tensors of the surrounding graph that the body reads, by the names it uses for them
 * @param locals names of all tensors that the body (or a body within) makes itself
 */
public record Subgraph(byte[] proto, List<String> captured, Set<String> locals) implements Serializable {
    public Subgraph {
        captured = List.copyOf(captured);
        locals = Set.copyOf(locals);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Subgraph that
                && Arrays.equals(proto, that.proto)
                && captured.equals(that.captured)
                && locals.equals(that.locals);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(proto), captured, locals);
    }

    @Override
    public String toString() {
        return "Subgraph of " + proto.length + " bytes, captured " + captured;
    }
}
