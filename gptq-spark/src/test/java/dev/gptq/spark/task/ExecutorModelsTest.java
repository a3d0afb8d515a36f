package dev.gptq.spark.task;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ExecutorModelsTest {
    private final List<String> closed = new ArrayList<>();

    @AfterEach
    void release() {
        ExecutorModels.release("a");
        ExecutorModels.release("b");
    }

    @Test
    void tasksOfARunShareAResource() {
        try (ExecutorModels.Lease one = ExecutorModels.lease(run("a"));
                ExecutorModels.Lease other = ExecutorModels.lease(run("a"))) {
            assertThat(one.get("x", Resource.class, () -> new Resource("x")))
                    .isSameAs(other.get("x", Resource.class, () -> new Resource("y")));
        }
        assertThat(closed).isEmpty();
    }

    @Test
    void anotherRunClosesTheResourcesNewestFirst() {
        use("a", "first", "second");

        use("b", "third");

        assertThat(closed).containsExactly("second", "first");
    }

    @Test
    void resourcesStayOpenWhileATaskOfTheirRunWorks() {
        ExecutorModels.Lease working = ExecutorModels.lease(run("a"));
        working.get("x", Resource.class, () -> new Resource("x"));

        use("b", "y");
        assertThat(closed).isEmpty();

        working.close();
        assertThat(closed).containsExactly("x");
    }

    @Test
    void releasingARunClosesIts() {
        use("a", "x");

        ExecutorModels.release("other");
        assertThat(closed).isEmpty();
        ExecutorModels.release("a");
        assertThat(closed).containsExactly("x");
    }

    private void use(String runId, String... names) {
        try (ExecutorModels.Lease lease = ExecutorModels.lease(run(runId))) {
            for (String name : names) {
                lease.get(name, Resource.class, () -> new Resource(name));
            }
        }
    }

    private static SharedModel run(String runId) {
        return new SharedModel(runId, null, ComputeDevices.cpus("test"), null);
    }

    private final class Resource implements AutoCloseable {
        private final String name;

        Resource(String name) {
            this.name = name;
        }

        @Override
        public void close() {
            closed.add(name);
        }
    }
}
