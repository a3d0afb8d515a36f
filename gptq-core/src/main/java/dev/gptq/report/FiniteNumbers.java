package dev.gptq.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.IOException;
import java.util.stream.DoubleStream;

/** Numbers that are not finite have no JSON form: they are written as null, and null is read as NaN. */
final class FiniteNumbers {
    private FiniteNumbers() {}

    static SimpleModule module() {
        SimpleModule module = new SimpleModule("finite-numbers");
        module.addSerializer(Double.class, new NumberSerializer());
        module.addSerializer(double.class, new NumberSerializer());
        module.addSerializer(double[].class, new ArraySerializer());
        module.addDeserializer(double.class, new NumberDeserializer());
        module.addDeserializer(double[].class, new ArrayDeserializer());
        return module;
    }

    private static final class NumberSerializer extends JsonSerializer<Double> {
        @Override
        public void serialize(Double value, JsonGenerator out, SerializerProvider provider) throws IOException {
            write(value, out);
        }
    }

    private static final class ArraySerializer extends JsonSerializer<double[]> {
        @Override
        public void serialize(double[] values, JsonGenerator out, SerializerProvider provider) throws IOException {
            out.writeStartArray();
            for (double value : values) {
                write(value, out);
            }
            out.writeEndArray();
        }
    }

    private static final class NumberDeserializer extends JsonDeserializer<Double> {
        @Override
        public Double deserialize(JsonParser in, DeserializationContext context) throws IOException {
            return in.getDoubleValue();
        }

        @Override
        public Double getNullValue(DeserializationContext context) {
            return Double.NaN;
        }
    }

    private static final class ArrayDeserializer extends JsonDeserializer<double[]> {
        @Override
        public double[] deserialize(JsonParser in, DeserializationContext context) throws IOException {
            if (!in.isExpectedStartArrayToken()) {
                context.reportInputMismatch(double[].class, "an array of numbers is expected");
            }
            DoubleStream.Builder values = DoubleStream.builder();
            while (in.nextToken() != JsonToken.END_ARRAY) {
                values.add(in.currentToken() == JsonToken.VALUE_NULL ? Double.NaN : in.getDoubleValue());
            }
            return values.build().toArray();
        }
    }

    private static void write(double value, JsonGenerator out) throws IOException {
        if (Double.isFinite(value)) {
            out.writeNumber(value);
        } else {
            out.writeNull();
        }
    }
}
