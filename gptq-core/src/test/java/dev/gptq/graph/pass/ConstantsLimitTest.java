package dev.gptq.graph.pass;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ConstantsLimitTest {
    /** Three tensors of 50 elements each. */
    private static final Graph GRAPH = new GraphBuilder(13)
            .longs("s", 50)
            .node("ConstantOfShape", "s", "a")
            .node("Add", "a a", "b")
            .node("Mul", "a b", "out")
            .build();

    @Test
    void tensorsThatAreTooManyTogetherEndTheRun() {
        assertThatThrownBy(() -> run(149)).hasMessageContainingAll("'test'", "up to 'out'", "more than 149 elements");
    }

    @Test
    void tensorsWithinTheLimitStayAsTheyAre() {
        assertThat(run(150)).isEqualTo(50);
    }

    private static long run(long limit) {
        try (GraphExecutor executor = new GraphExecutor(GRAPH, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            return executor.run(scope, Map.of(), new ConstantsLimit("test", limit))
                    .get("out")
                    .size();
        }
    }
}
