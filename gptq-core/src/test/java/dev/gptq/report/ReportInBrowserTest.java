package dev.gptq.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The page as Chromium shows it; the Debian package 'chromium' brings that. */
class ReportInBrowserTest {
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");

    @TempDir
    private Path folder;

    private static String browser;

    @BeforeAll
    static void find() {
        browser = Stream.of(System.getenv("PATH").split(":"))
                .flatMap(path -> NAMES.stream().map(name -> Path.of(path, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
        Assumptions.assumeTrue(browser != null, "Chromium is not installed: reports are not looked at.");
    }

    @Test
    void everyChartIsDrawnWithoutAnError() throws Exception {
        Path page = write(HtmlReport.render(
                SampleMetrics.of(9, 960, "conv"), SampleDetails.of(9, 960, "conv"), "model: m1.onnx\n", "{}"));

        String shown = run(page, "--dump-dom");

        assertThat(shown).contains("data-charts=\"6\"").doesNotContain("data-error");
        assertThat(shown.split("<canvas", -1)).hasSize(6 + 1);
    }

    @Test
    void aPageWithLittleInItIsWhole() throws Exception {
        RunMetrics some = SampleMetrics.of(1, 1, "conv");
        RunMetrics little = new RunMetrics(
                some.floatModel(),
                some.ptq(),
                some.gptq(),
                some.timing(),
                some.engineAgreement(),
                null,
                some.layers(),
                List.of());
        Path page = write(HtmlReport.render(little, ReportDetails.NONE, "model: m1.onnx\n", "{}"));

        String shown = run(page, "--dump-dom");

        assertThat(shown).contains("data-charts=\"2\"").doesNotContain("data-error");
    }

    @Test
    void aPictureOfThePageIsNotOfOneColour() throws Exception {
        Path page = write(HtmlReport.render(
                SampleMetrics.of(9, 960, "conv"), SampleDetails.of(9, 960, "conv"), "model: m1.onnx\n", "{}"));
        Path picture = folder.resolve("page.png");

        run(page, "--window-size=1000,900", "--screenshot=" + picture);

        var image = ImageIO.read(picture.toFile());
        long colours = java.util.Arrays.stream(
                        image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()))
                .distinct()
                .count();
        assertThat(colours).isGreaterThan(20);
    }

    private Path write(String page) throws IOException {
        return Files.writeString(folder.resolve("report.html"), page);
    }

    private String run(Path page, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--virtual-time-budget=2000",
                "--user-data-dir=" + Files.createTempDirectory(folder, "profile")));
        command.addAll(List.of(options));
        command.add(page.toUri().toString());
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(folder.resolve("errors").toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return Files.readString(output);
    }
}
