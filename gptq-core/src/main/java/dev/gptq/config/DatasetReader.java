package dev.gptq.config;

import java.util.LinkedHashMap;
import java.util.Map;

/** Reads one dataset of the section data. */
final class DatasetReader {
    private DatasetReader() {}

    /** {@code base} has what an evaluation dataset takes over from the calibration dataset; null for the latter. */
    static DatasetConfig read(Settings settings, DatasetConfig base) {
        return settings.build(() -> new DatasetConfig(
                settings.texts("path", null),
                settings.orNull("format", null, key -> settings.text(key, null)),
                settings.has("inputs") || base == null ? inputs(settings) : base.inputs(),
                settings.orNull("label", null, key -> settings.text(key, null)),
                settings.orNull("classes", base == null ? null : base.classes(), key -> settings.texts(key, null)),
                settings.orNull("id", null, key -> settings.text(key, null)),
                settings.orNull("limit", null, key -> settings.wholeLong(key, 0)),
                table(settings, base),
                settings.orNull("image", base == null ? null : base.image(), key -> image(settings.section(key))),
                settings.orNull("text", base == null ? null : base.text(), key -> text(settings.section(key))),
                badRows(settings),
                settings.orNull("reader", null, key -> settings.text(key, null))));
    }

    private static Map<String, InputMapping> inputs(Settings settings) {
        if (!settings.has("inputs")) {
            return null;
        }
        Map<String, InputMapping> inputs = new LinkedHashMap<>();
        Settings section = settings.section("inputs");
        for (String name : section.keys()) {
            inputs.put(name, input(section.sectionOrText(name, "column"), name));
        }
        return inputs;
    }

    private static InputMapping input(Settings settings, String name) {
        InputMapping base = InputMapping.of(name);
        return settings.build(() -> new InputMapping(
                settings.text("column", base.column()),
                settings.orNull("type", null, key -> settings.text(key, null)),
                settings.orNull("shape", null, key -> settings.wholes(key, null)),
                settings.number("scale", base.scale()),
                settings.numbers("mean", base.mean()),
                settings.numbers("std", base.std())));
    }

    private static TableConfig table(Settings settings, DatasetConfig base) {
        return new TableConfig(
                settings.orNull("schema", null, key -> settings.text(key, null)),
                settings.section("options").allTexts(),
                settings.has("columns") || base == null
                        ? settings.section("columns").allTexts()
                        : base.table().columns(),
                settings.orNull("filter", null, key -> settings.text(key, null)));
    }

    private static ImageConfig image(Settings settings) {
        ImageConfig base = ImageConfig.defaults();
        return new ImageConfig(
                settings.text("column", base.column()),
                settings.orNull("resize", base.resize(), key -> extents(settings, key)),
                settings.constant("fit", ImageConfig.Fit.class, base.fit()),
                settings.constant("interpolation", ImageConfig.Interpolation.class, base.interpolation()),
                settings.flag("antialias", base.antialias()),
                settings.orNull("crop", base.crop(), key -> extents(settings, key)),
                settings.whole("pad", base.pad()),
                settings.constant("color", ImageConfig.Color.class, base.color()),
                settings.constant("layout", ImageConfig.Layout.class, base.layout()),
                settings.flag("exif_orientation", base.exifOrientation()),
                settings.wholeLong("max_pixels", base.maxPixels()));
    }

    /** Extents beyond int become 0, which the configuration refuses. */
    private static int[] extents(Settings settings, String key) {
        long[] values = settings.wholes(key, null);
        return java.util.Arrays.stream(values)
                .mapToInt(value -> value == (int) value ? (int) value : 0)
                .toArray();
    }

    private static TextConfig text(Settings settings) {
        return new TextConfig(
                settings.text("tokenizer", null),
                settings.text("column", "value"),
                settings.orNull("pair", null, key -> settings.text(key, null)),
                settings.whole("max_length", TextConfig.DEFAULT_MAX_LENGTH),
                settings.orNull("pad_id", null, key -> settings.wholeLong(key, 0)),
                settings.flag("add_special_tokens", true),
                settings.constant("padding", TextConfig.Padding.class, TextConfig.Padding.MAX_LENGTH));
    }

    private static BadRowsConfig badRows(Settings settings) {
        return new BadRowsConfig(
                settings.constant("bad_rows", BadRowsConfig.Policy.class, BadRowsConfig.Policy.FAIL),
                settings.number("bad_rows_budget", BadRowsConfig.DEFAULT_BUDGET));
    }
}
