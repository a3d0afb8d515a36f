package dev.gptq.config;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** One dataset -> a tree of keys and values in the order of {@link DataKeys}. */
final class DatasetWriter {
    private DatasetWriter() {}

    static Map<String, Object> tree(DatasetConfig dataset) {
        Map<String, Object> inputs = new LinkedHashMap<>();
        dataset.inputs().forEach((name, mapping) -> inputs.put(name, input(mapping)));
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("path", dataset.paths().size() == 1 ? dataset.paths().get(0) : dataset.paths());
        tree.put("format", dataset.format());
        tree.put("inputs", inputs);
        tree.put("label", dataset.label());
        tree.put("classes", dataset.classes());
        tree.put("id", dataset.id());
        tree.put("filter", dataset.table().filter());
        tree.put("limit", dataset.limit());
        tree.put("columns", dataset.table().columns());
        tree.put("schema", dataset.table().schema());
        tree.put("options", dataset.table().options());
        tree.put("image", dataset.image() == null ? null : image(dataset.image()));
        tree.put("text", dataset.text() == null ? null : text(dataset.text()));
        tree.put("bad_rows", dataset.badRows().policy().toString());
        tree.put("bad_rows_budget", dataset.badRows().budget());
        tree.put("reader", dataset.reader());
        return tree;
    }

    private static Map<String, Object> input(InputMapping input) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("column", input.column());
        tree.put("type", input.type());
        tree.put(
                "shape",
                input.shape() == null
                        ? null
                        : Arrays.stream(input.shape()).boxed().toList());
        tree.put("scale", input.scale());
        tree.put("mean", numbers(input.mean()));
        tree.put("std", numbers(input.std()));
        return tree;
    }

    private static Object numbers(double[] values) {
        return values.length == 1
                ? (Object) values[0]
                : Arrays.stream(values).boxed().toList();
    }

    private static Map<String, Object> image(ImageConfig image) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("column", image.column());
        tree.put("resize", extents(image.resize()));
        tree.put("fit", lower(image.fit()));
        tree.put("interpolation", lower(image.interpolation()));
        tree.put("antialias", image.antialias());
        tree.put("crop", extents(image.crop()));
        tree.put("pad", image.pad());
        tree.put("color", lower(image.color()));
        tree.put("layout", lower(image.layout()));
        tree.put("exif_orientation", image.exifOrientation());
        tree.put("max_pixels", image.maxPixels());
        return tree;
    }

    private static Object extents(int[] extents) {
        return extents == null ? null : Arrays.stream(extents).boxed().toList();
    }

    private static Map<String, Object> text(TextConfig text) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("tokenizer", text.tokenizer());
        tree.put("column", text.column());
        tree.put("pair", text.pair());
        tree.put("max_length", text.maxLength());
        tree.put("pad_id", text.padId());
        tree.put("add_special_tokens", text.addSpecialTokens());
        tree.put("padding", lower(text.padding()));
        return tree;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
