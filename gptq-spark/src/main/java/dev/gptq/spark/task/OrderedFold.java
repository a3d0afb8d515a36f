package dev.gptq.spark.task;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BinaryOperator;

/**
 * Folds the values of blocks [0, blocks) by a fixed binary tree over the block index, in whatever order they arrive: 0 with
 * 1, 2 with 3, then these with each other; a node without a right neighbour moves up as it is. Values merge as soon as
 * their neighbour is there, so that few are held when they arrive about in order. Not thread-safe.
 *
 * <p>A run of 2^level blocks that starts at a multiple of 2^level is a subtree: it may be folded elsewhere and arrive as one
 * value, and the result keeps its bits.
 */
public final class OrderedFold<T> {
    private final long blocks;
    private final BinaryOperator<T> merge;
    private final Map<Node, T> waiting = new HashMap<>();
    private T result;

    /** {@code merge} gets the earlier blocks' value first. */
    public OrderedFold(long blocks, BinaryOperator<T> merge) {
        this.blocks = blocks;
        this.merge = merge;
    }

    /** Adds the value of a subtree: blocks [index * 2^level, (index + 1) * 2^level), each of them exactly once. */
    public void accept(int level, long index, T value) {
        Node node = new Node(level, index);
        T folded = value;
        while (node.level < Long.SIZE - 1 && 1L << node.level < blocks) {
            Node sibling = new Node(node.level, node.index ^ 1);
            if (sibling.index << sibling.level < blocks) {
                T other = waiting.remove(sibling);
                if (other == null) {
                    waiting.put(node, folded);
                    return;
                }
                folded = node.index < sibling.index ? merge.apply(folded, other) : merge.apply(other, folded);
            }
            node = new Node(node.level + 1, node.index / 2);
        }
        result = folded;
    }

    /** The folded value; every block must have arrived. */
    public T result() {
        if (result == null) {
            throw new IllegalStateException("Cannot fold " + blocks + " blocks: some have not arrived.");
        }
        return result;
    }

    private record Node(int level, long index) {}
}
