package dev.gptq.jobs.bench;

import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.SparkContext;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.SparkSession;

/**
 * A Spark standalone cluster on this host, made of the class path of this JVM: a master and a worker, each a JVM of its own,
 * and so are the executors that the worker starts. Everything is stopped on close.
 */
final class BenchCluster implements AutoCloseable {
    /** Heaps are taken from the system at once, so that what a process grows by afterwards is native memory. */
    static final String MEMORY_OPTIONS = "-Xms512m -XX:+AlwaysPreTouch";

    private static final String HOST = "127.0.0.1";
    private static final int CONNECT_MILLIS = 500;
    static final long PAUSE_MILLIS = 20;
    private static final long LIMIT_NANOS = 120_000_000_000L;
    private static final int WORKER_CORES = 8;

    private final Path folder;
    private final int port;
    private final List<Process> processes = new ArrayList<>();
    private Process worker;

    private BenchCluster(Path folder, int port) {
        this.folder = folder;
        this.port = port;
    }

    /** Starts a cluster whose files all lie in {@code folder}. */
    static BenchCluster start(Path folder) throws Exception {
        BenchCluster cluster = ofJvms(folder);
        try {
            cluster.linkJars();
            cluster.startMaster();
            cluster.startWorker();
            return cluster;
        } catch (Exception e) {
            cluster.close();
            throw e;
        }
    }

    /** Nothing yet but what {@link #java} starts. */
    static BenchCluster ofJvms(Path folder) throws IOException {
        BenchCluster cluster = new BenchCluster(Files.createDirectories(folder), freePort());
        // An interrupted benchmark leaves no process behind.
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close));
        return cluster;
    }

    /** A driver in this JVM with so many executors, all of which have come. */
    SparkSession session(int executors, int cores, String executorMemory) throws Exception {
        SparkSession.Builder builder = SparkSession.builder();
        settings(executors, cores, executorMemory).forEach(builder::config);
        SparkSession session = builder.getOrCreate();
        SparkContext context = session.sparkContext();
        // The driver counts as one.
        waitUntil("executors come", () -> context.statusTracker().getExecutorInfos().length > executors);
        return session;
    }

    /** What a driver of this cluster is configured with. */
    Map<String, String> settings(int executors, int cores, String executorMemory) {
        Map<String, String> settings = new TreeMap<>();
        settings.put("spark.master", "spark://" + HOST + ":" + port);
        settings.put("spark.app.name", "gptq bench");
        settings.put("spark.driver.host", HOST);
        settings.put("spark.driver.bindAddress", HOST);
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.ui.showConsoleProgress", "false");
        settings.put("spark.cores.max", String.valueOf(executors * cores));
        settings.put("spark.executor.cores", String.valueOf(cores));
        settings.put("spark.executor.memory", executorMemory);
        settings.put("spark.executor.extraClassPath", String.join(File.pathSeparator, directories()));
        settings.put("spark.executor.extraJavaOptions", "-Dai.djl.offline=true");
        settings.put("spark.executorEnv.OMP_NUM_THREADS", "1");
        settings.put("spark.executorEnv.OPT_OUT_TRACKING", "true");
        settings.put("spark.scheduler.minRegisteredResourcesRatio", "1.0");
        return settings;
    }

    /** The executors that run now. */
    List<ProcessHandle> executors() {
        return worker.toHandle().children().filter(ProcessHandle::isAlive).toList();
    }

    /** Starts a JVM with this one's class path; what it says goes to a file of the cluster's folder. */
    Process java(String mainClass, List<String> options, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(JavaModuleOptions.defaultModuleOptions().split(" ")));
        command.add("-Dai.djl.offline=true");
        command.addAll(options);
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath()), mainClass));
        command.addAll(arguments);
        File log = folder.resolve("process-" + processes.size() + ".log").toFile();
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

    /** Something that is not true yet. */
    interface Condition {
        boolean holds() throws IOException;
    }

    static void waitUntil(String event, Condition condition) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - begin > LIMIT_NANOS) {
                throw new IllegalStateException("Waited for two minutes until " + event + ".");
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    private void linkJars() throws IOException {
        Path jars = Files.createDirectories(folder.resolve("jars"));
        for (String entry : classPath()) {
            Path jar = Path.of(entry).toAbsolutePath();
            if (Files.isRegularFile(jar)) {
                Path link = jars.resolve(jar.getFileName());
                if (!Files.exists(link)) {
                    Files.createSymbolicLink(link, jar);
                }
            }
        }
    }

    private void startMaster() throws IOException, InterruptedException {
        java(
                "org.apache.spark.deploy.master.Master",
                List.of("-Xmx256m"),
                List.of("--host", HOST, "--port", String.valueOf(port), "--webui-port", "0"));
        waitUntil("the master answers", () -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(HOST, port), CONNECT_MILLIS);
                return true;
            } catch (IOException e) {
                return false;
            }
        });
    }

    private void startWorker() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--host", HOST, "--port", "0", "--webui-port", "0"));
        arguments.addAll(List.of("--cores", String.valueOf(WORKER_CORES), "--memory", "16g"));
        arguments.addAll(List.of("--work-dir", folder.resolve("work").toString(), "spark://" + HOST + ":" + port));
        worker = java("org.apache.spark.deploy.worker.Worker", List.of("-Xmx256m"), arguments);
    }

    /** Of this JVM, with the jar that spark-submit has loaded this class from. */
    private static Set<String> classPath() {
        Set<String> entries = new LinkedHashSet<>();
        try {
            entries.add(Path.of(BenchCluster.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot tell where this program lies.", e);
        }
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (Files.exists(Path.of(entry))) {
                entries.add(entry);
            }
        }
        return entries;
    }

    private static List<String> directories() {
        return classPath().stream()
                .filter(entry -> Files.isDirectory(Path.of(entry)))
                .toList();
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
