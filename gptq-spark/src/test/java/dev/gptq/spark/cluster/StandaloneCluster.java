package dev.gptq.spark.cluster;

import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;
import org.junit.jupiter.api.condition.OS;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A Spark standalone cluster on this host, made of the test class path: a master and workers, each a JVM of its own, and so
 * are the executors they start. Whatever still runs is killed on close.
 */
final class StandaloneCluster implements AutoCloseable {
    private static final String HOST = "127.0.0.1";
    private static final int CONNECT_MILLIS = 500;
    /** These JVMs live for seconds: optimizing their code would take longer than it saves. */
    private static final String QUICK_START = "-XX:TieredStopAtLevel=1";

    private static final String EXECUTOR_MEMORY = "512m";
    private static final String WORKER_MEMORY = "2g";

    private final Path folder;
    private final int port;
    private final int cores;
    private final int gpus;
    private final List<Process> workers = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();

    private StandaloneCluster(Path folder, int port, int cores, int gpus) {
        this.folder = folder;
        this.port = port;
        this.cores = cores;
        this.gpus = gpus;
    }

    /**
     * Starts a cluster whose files all lie in {@code folder}; each worker offers {@code cores} cores and so many GPUs that
     * are not there.
     */
    static StandaloneCluster start(Path folder, int workers, int cores, int gpus)
            throws IOException, InterruptedException {
        StandaloneCluster cluster = new StandaloneCluster(folder, freePort(), cores, gpus);
        try {
            cluster.linkJars();
            cluster.startMaster();
            for (int worker = 0; worker < workers; worker++) {
                cluster.workers.add(cluster.startWorker(worker));
            }
            return cluster;
        } catch (IOException | InterruptedException | RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    /**
     * Starts {@code mainClass} with the test class path as the driver of an application with so many executors.
     *
     * @param settings Spark properties besides
     * @param executorProperties system properties of the executors
     */
    Process startDriver(
            Class<?> mainClass,
            int executors,
            int cores,
            Map<String, String> settings,
            Map<String, String> executorProperties,
            String... arguments)
            throws IOException {
        Map<String, String> conf = new TreeMap<>(settings);
        conf.put("spark.master", "spark://" + HOST + ":" + port);
        conf.put("spark.cores.max", String.valueOf(executors * cores));
        conf.put("spark.executor.cores", String.valueOf(cores));
        conf.put("spark.executor.memory", EXECUTOR_MEMORY);
        conf.put(
                "spark.executor.extraClassPath",
                classPath()
                        .filter(Files::isDirectory)
                        .map(Path::toString)
                        .collect(Collectors.joining(File.pathSeparator)));
        StringBuilder options = new StringBuilder("-Dai.djl.offline=true ").append(QUICK_START);
        executorProperties.forEach(
                (name, value) -> options.append(" -D").append(name).append('=').append(value));
        conf.put("spark.executor.extraJavaOptions", options.toString());
        conf.putIfAbsent("spark.scheduler.minRegisteredResourcesRatio", "1.0");
        conf.put("spark.scheduler.maxRegisteredResourcesWaitingTime", "2min");
        return startDriver(mainClass, conf, arguments);
    }

    /** Starts {@code mainClass} with the test class path and these Spark properties. */
    Process startDriver(Class<?> mainClass, Map<String, String> conf, String... arguments) throws IOException {
        List<String> options = new ArrayList<>(List.of("-Dai.djl.offline=true", "-Dspark.ui.enabled=false"));
        options.add("-Dspark.driver.host=" + HOST);
        options.add("-Dspark.driver.bindAddress=" + HOST);
        options.add("-Dspark.sql.shuffle.partitions=2");
        conf.forEach((name, value) -> options.add("-D" + name + "=" + value));
        return java("driver", mainClass.getName(), options, List.of(arguments));
    }

    /** Starts workers in place of those that are gone. */
    void replaceLostWorkers() throws IOException {
        for (int worker = 0; worker < workers.size(); worker++) {
            if (!workers.get(worker).isAlive()) {
                workers.set(worker, startWorker(worker));
            }
        }
    }

    /** The executors that run now. */
    List<ProcessHandle> executors() {
        return workers.stream()
                .flatMap(worker -> worker.toHandle().children())
                .filter(ProcessHandle::isAlive)
                .toList();
    }

    /** What all processes have written to standard error, for messages. */
    String log() throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".log") || path.endsWith("stderr"))
                    .sorted()
                    .toList()) {
                text.append(file).append(System.lineSeparator()).append(Files.readString(file));
            }
        }
        return text.toString();
    }

    private void linkJars() throws IOException {
        Path jars = Files.createDirectories(folder.resolve("jars"));
        for (Path jar : classPath().filter(Files::isRegularFile).toList()) {
            try {
                Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar);
            } catch (FileAlreadyExistsException e) {
                throw new IllegalStateException("Two jars of one name on the class path: " + jar, e);
            }
        }
    }

    private void startMaster() throws IOException, InterruptedException {
        Process master = java(
                "master",
                "org.apache.spark.deploy.master.Master",
                List.of(),
                List.of("--host", HOST, "--port", String.valueOf(port), "--webui-port", "0"));
        Waiting.until("the master answers", () -> {
            if (!master.isAlive()) {
                throw new IllegalStateException("The master has ended: " + log());
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(HOST, port), CONNECT_MILLIS);
                return true;
            } catch (IOException e) {
                return false;
            }
        });
    }

    private Process startWorker(int number) throws IOException {
        Path work = Files.createDirectories(folder.resolve("work-" + number));
        List<String> arguments =
                new ArrayList<>(List.of("--host", workerHost(number), "--port", "0", "--webui-port", "0"));
        arguments.addAll(List.of("--cores", String.valueOf(cores), "--memory", WORKER_MEMORY));
        arguments.addAll(List.of("--work-dir", work.toString(), "spark://" + HOST + ":" + port));
        return java("worker-" + number, "org.apache.spark.deploy.worker.Worker", pretendedGpus(), arguments);
    }

    /** Spark runs no second attempt of a task on the first one's host: on Linux every worker has an address of its own. */
    private String workerHost(int number) {
        return OS.LINUX.isCurrentOs() ? "127.0.0." + (number + 1) : HOST;
    }

    private List<String> pretendedGpus() throws IOException {
        Path script = folder.resolve("gpus.sh");
        String addresses =
                IntStream.range(0, gpus).mapToObj(gpu -> "\"" + gpu + "\"").collect(Collectors.joining(","));
        Files.writeString(script, "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [" + addresses + "]}'\n");
        assertThat(script.toFile().setExecutable(true)).isTrue();
        return List.of(
                "-Dspark.worker.resource.gpu.amount=" + gpus, "-Dspark.worker.resource.gpu.discoveryScript=" + script);
    }

    private Process java(String name, String mainClass, List<String> options, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx1g", QUICK_START));
        command.addAll(List.of(JavaModuleOptions.defaultModuleOptions().split(" ")));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(arguments);
        File log = folder.resolve(name + "-" + processes.size() + ".log").toFile();
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
        builder.environment().put("SPARK_HOME", folder.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        builder.environment().put("SPARK_LOCAL_IP", HOST);
        builder.environment().put("SPARK_LOCAL_DIRS", folder.resolve("local").toString());
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    private static Stream<Path> classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(Files::exists);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> all = new ArrayList<>();
        for (Process process : processes) {
            process.descendants().forEach(all::add);
            all.add(process.toHandle());
        }
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(process -> process.onExit().join());
    }
}
