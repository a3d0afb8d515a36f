package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.ImageConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks the mapping of a dataset against the model's inputs. */
final class InputLayouts {
    private static final Set<ElementType> FEEDABLE =
            EnumSet.of(ElementType.FLOAT32, ElementType.INT32, ElementType.INT64);

    private InputLayouts() {}

    /**
     * How the dataset's columns become records for the model.
     *
     * @param decoder of images or text, or null
     */
    static SampleEncoder encoder(DatasetConfig config, Graph model, SampleDecoder decoder) {
        List<SampleLayout.Input> inputs = new ArrayList<>();
        List<InputMapping> mappings = new ArrayList<>();
        List<Boolean> channelsLast = new ArrayList<>();
        for (ValueInfo input : model.inputs()) {
            InputMapping mapping = config.inputs().get(input.name());
            if (mapping == null) {
                throw GptqException.badInput(
                        "Cannot feed model input '%s' from '%s': no column is mapped to it. Add inputs.%s.column.",
                        input.name(), config.path(), input.name());
            }
            if (!FEEDABLE.contains(input.type())) {
                throw GptqException.unsupported(
                        "Cannot feed model input '%s': its type is %s. Export the model with float32, int32 or int64"
                                + " inputs.",
                        input.name(), input.type());
            }
            boolean decoded = decoder != null && decoder.yields(mapping.column());
            long[] shape = sampleShape(input, mapping, decoded ? decoder.shape() : null);
            boolean last = decoded && config.image() != null && config.image().layout() == ImageConfig.Layout.NHWC;
            checkChannels(mapping, shape, input.name(), last);
            boolean ragged = decoded && decoder.ragged();
            if (ragged && input.shape()[1] >= 0) {
                throw GptqException.badInput(
                        "Cannot pad model input '%s' to the longest text: the model takes exactly %d tokens. Set text.padding"
                                + " to max_length.",
                        input.name(), input.shape()[1]);
            }
            inputs.add(new SampleLayout.Input(input.name(), input.type(), shape, ragged));
            mappings.add(mapping);
            channelsLast.add(last);
        }
        checkNames(config.inputs(), model);
        return new SampleEncoder(new SampleLayout(inputs, config.label() != null), mappings, channelsLast);
    }

    private static long[] sampleShape(ValueInfo input, InputMapping mapping, long[] decoded) {
        long[] modelShape =
                input.shape().length == 0 ? new long[0] : Arrays.copyOfRange(input.shape(), 1, input.shape().length);
        long[] known = decoded == null ? modelShape : decoded;
        long[] shape = mapping.shape() == null ? known : mapping.shape();
        boolean fits = shape.length == modelShape.length;
        for (int axis = 0; fits && axis < shape.length; axis++) {
            fits = modelShape[axis] < 0 || shape[axis] == modelShape[axis];
        }
        if (!fits) {
            throw GptqException.badInput(
                    "Cannot feed model input '%s' with shape %s: the model takes %s. Correct inputs.%s.shape.",
                    input.name(), Arrays.toString(shape), Arrays.toString(modelShape), input.name());
        }
        for (long dimension : shape) {
            if (dimension < 1) {
                throw GptqException.badInput(
                        "Cannot feed model input '%s': its shape %s is open. Set inputs.%s.shape.",
                        input.name(), Arrays.toString(shape), input.name());
            }
        }
        return shape;
    }

    private static void checkChannels(InputMapping mapping, long[] shape, String input, boolean last) {
        long channels = shape.length == 0 ? 1 : shape[last ? shape.length - 1 : 0];
        for (double[] values : Arrays.asList(mapping.mean(), mapping.std())) {
            if (values.length > 1 && values.length != channels) {
                throw GptqException.badInput(
                        "Cannot normalise model input '%s': %d values of mean or std for %d channels. Give one value or one"
                                + " per channel.",
                        input, values.length, channels);
            }
        }
    }

    private static void checkNames(Map<String, InputMapping> mapped, Graph model) {
        List<String> known = model.inputs().stream().map(ValueInfo::name).toList();
        for (String name : mapped.keySet()) {
            if (!known.contains(name)) {
                throw GptqException.badInput(
                        "Cannot map model input '%s': the model has no such input. Use %s.",
                        name, String.join(", ", known));
            }
        }
    }
}
