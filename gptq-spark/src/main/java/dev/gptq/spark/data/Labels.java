package dev.gptq.spark.data;

import java.io.Serializable;
import java.util.Collection;
import java.util.List;

/**
 * Label column -> class number.
 *
 * @param classes names in the order of the model's outputs, or null when labels are numbers
 */
record Labels(List<String> classes) implements Serializable {
    /** The number of a label, which is an integer or text. */
    long number(Object label) throws BadSampleException {
        if (label instanceof Number number) {
            return number.longValue();
        }
        int index = classes == null ? -1 : classes.indexOf(label.toString());
        if (index < 0) {
            throw new BadSampleException("label '" + label + "' is none of the classes");
        }
        return index;
    }

    /** Folder names as classes: in their order, or as the numbers that all of them are. */
    static List<String> ofFolders(Collection<String> names) {
        List<String> sorted = names.stream().distinct().sorted().toList();
        if (!sorted.stream().allMatch(name -> name.matches("[0-9]{1,9}"))) {
            return sorted;
        }
        int largest = sorted.stream().mapToInt(Integer::parseInt).max().orElse(0);
        return largest > LARGEST_CLASS
                ? sorted
                : java.util.stream.IntStream.rangeClosed(0, largest)
                        .mapToObj(Integer::toString)
                        .toList();
    }

    private static final int LARGEST_CLASS = 1 << 20;
}
