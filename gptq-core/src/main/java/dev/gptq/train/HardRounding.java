package dev.gptq.train;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizedLayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Puts the pieces of a trained model together again, as layers with integer kernels. */
final class HardRounding {
    private HardRounding() {}

    static List<QuantizedLayer> of(ParameterLayout layout, List<TrainedPiece> pieces) {
        List<List<KernelPiece>> kernels = new ArrayList<>();
        layout.layers().forEach(layer -> kernels.add(new ArrayList<>()));
        float[] biases = new float[layout.totalCount()];
        for (TrainedPiece piece : pieces) {
            if (piece instanceof KernelPiece kernel) {
                kernels.get(piece.piece.layer()).add(kernel);
            } else {
                piece.writeTo(biases);
            }
        }
        List<QuantizedLayer> layers = new ArrayList<>();
        for (int l = 0; l < kernels.size(); l++) {
            layers.add(layer(layout.layers().get(l), kernels.get(l), biases));
        }
        return layers;
    }

    private static QuantizedLayer layer(ParameterLayout.Layer layer, List<KernelPiece> pieces, float[] biases) {
        ParameterLayout.Slice bias = layer.bias();
        int[] integers = new int[layer.kernel().size()];
        for (KernelPiece piece : pieces) {
            int begin = piece.piece.from() - layer.kernel().offset();
            System.arraycopy(piece.integers(), 0, integers, begin, piece.piece.size());
        }
        return new QuantizedLayer(
                layer.point(),
                grid(pieces),
                integers,
                bias == null ? null : Arrays.copyOfRange(biases, bias.offset(), bias.offset() + bias.size()));
    }

    /** Channels of a grid along the first axis lie in several pieces; any other grid is the same in each. */
    private static QuantizationGrid grid(List<KernelPiece> pieces) {
        QuantizationGrid first = pieces.get(0).grid();
        if (first.channelAxis() != 0 || pieces.size() == 1) {
            return first;
        }
        int channels = pieces.stream().mapToInt(piece -> piece.piece.rows()).sum();
        float[] scale = new float[channels];
        int[] zeroPoint = new int[channels];
        for (KernelPiece piece : pieces) {
            QuantizationGrid grid = piece.grid();
            System.arraycopy(grid.scale(), 0, scale, piece.piece.firstRow(), piece.piece.rows());
            System.arraycopy(grid.zeroPoint(), 0, zeroPoint, piece.piece.firstRow(), piece.piece.rows());
        }
        return new QuantizationGrid(first.channelAxis(), scale, zeroPoint, first.minimum(), first.maximum());
    }
}
