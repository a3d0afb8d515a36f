package dev.gptq.spark.exchange;

import dev.gptq.spark.task.BlockRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What has come in of one step, and what is still missing. Not thread-safe: its participant guards it.
 *
 * <p>Another member may be one step ahead, never two: it needs this member's part of each step. So two inboxes take turns.
 */
final class StepInbox {
    private final Members members;
    private final SliceOwners owners;
    /** By member and run: the owned elements of that folded run; created when the first message comes. */
    private final float[][][] parts;

    private final double[] numbers;
    private final int[] numbersAt;
    private final boolean[] valuesSeen;

    private int step = Integer.MIN_VALUE;
    private int lanes;
    private List<List<BlockRun>> runs = List.of();
    /** By member and run. */
    private double[][][] losses;

    private boolean[][][] partsSeen;
    private int[] partsMissing;
    private int[] missingFrom;

    /** Inboxes of a participant may share {@code parts} where a slice is read before the next step's can come. */
    StepInbox(Members members, SliceOwners owners, int[] numbersAt, float[][][] parts) {
        this.members = members;
        this.owners = owners;
        this.numbersAt = numbersAt;
        this.parts = parts;
        this.numbers = new double[numbersAt[owners.slices()]];
        this.valuesSeen = new boolean[owners.slices()];
    }

    /** Empties the inbox for a step; 0 lanes: members bring their first values only. */
    void open(int newStep, int newLanes) {
        step = newStep;
        lanes = newLanes;
        int first = owners.firstOf(members.self());
        int owned = owners.endOf(members.self()) - first;
        runs = new ArrayList<>();
        losses = new double[members.count()][][];
        partsSeen = new boolean[members.count()][][];
        partsMissing = new int[owned];
        missingFrom = new int[members.count()];
        Arrays.fill(valuesSeen, false);
        Arrays.fill(partsMissing, 1);
        for (int m = 0; m < members.count(); m++) {
            runs.add(lanes == 0 ? List.of() : members.runs(m, lanes));
            losses[m] = new double[runs.get(m).size()][];
            // A member without lanes says so, and thereby that it has come this far.
            int messages = lanes == 0 ? 0 : Math.max(1, runs.get(m).size());
            partsSeen[m] = new boolean[messages][owned];
            if (m == members.self()) {
                continue;
            }
            missingFrom[m] = messages * owned;
            for (int slice = 0; slice < owned; slice++) {
                partsMissing[slice] += messages;
            }
            if (!owners.replicated()) {
                missingFrom[m] += owners.endOf(m) - owners.firstOf(m);
            }
        }
    }

    int step() {
        return step;
    }

    int lanes() {
        return lanes;
    }

    List<BlockRun> runs(int member) {
        return runs.get(member);
    }

    /** Where a part's floats go, from {@link #partPosition} on; null for a member without lanes. */
    float[] expectPart(Message message) {
        int sender = message.sender();
        int slice = message.slice() - owners.firstOf(members.self());
        Message.check(owners.owns(members.self(), message.slice()), "its slice belongs to another executor");
        int run = Math.max(0, message.run());
        Message.check(
                run < partsSeen[sender].length
                        && message.run() < Math.max(1, runs.get(sender).size()),
                "its lanes belong to another executor");
        Message.check(message.numbers().length > 0 || message.run() < 0, "it has no loss");
        Message.check(!partsSeen[sender][run][slice], "it has come before");
        partsSeen[sender][run][slice] = true;
        if (runs.get(sender).isEmpty()) {
            return null;
        }
        losses[sender][run] = message.numbers();
        if (parts[sender] == null || parts[sender].length <= run) {
            parts[sender] = parts[sender] == null ? new float[run + 1][] : Arrays.copyOf(parts[sender], run + 1);
        }
        if (parts[sender][run] == null) {
            parts[sender][run] = new float[ownedElements()];
        }
        return parts[sender][run];
    }

    private int ownedElements() {
        int last = owners.endOf(members.self()) - 1;
        return owners.from(last) + owners.size(last) - owners.from(owners.firstOf(members.self()));
    }

    int partPosition(int slice) {
        return owners.from(slice) - owners.from(owners.firstOf(members.self()));
    }

    /** Notes that new values of a slice are on their way; their numbers are kept. */
    void expectValues(Message message) {
        int slice = message.slice();
        Message.check(
                !owners.replicated()
                        && slice >= 0
                        && slice < owners.slices()
                        && owners.ownerOf(slice) == message.sender(),
                "its slice belongs to another executor");
        Message.check(message.numbers().length == numbersAt[slice + 1] - numbersAt[slice], "it has too few numbers");
        Message.check(!valuesSeen[slice], "it has come before");
        valuesSeen[slice] = true;
        System.arraycopy(message.numbers(), 0, numbers, numbersAt[slice], message.numbers().length);
    }

    /** A message has come to its end; whether someone may wait for that. */
    void arrived(Message message) {
        missingFrom[message.sender()]--;
        if (message.kind() == Message.Kind.PART) {
            partsMissing[message.slice() - owners.firstOf(members.self())]--;
        }
    }

    /** This member's own part of an owned slice is folded. */
    void foldedLocally(int slice) {
        partsMissing[slice - owners.firstOf(members.self())]--;
    }

    boolean isComplete(int slice) {
        return partsMissing[slice - owners.firstOf(members.self())] == 0;
    }

    boolean isComplete() {
        return Arrays.stream(missingFrom).allMatch(missing -> missing == 0);
    }

    boolean isMissing(int member) {
        return missingFrom[member] > 0;
    }

    void setLosses(int run, double[] ofRun) {
        losses[members.self()][run] = ofRun;
    }

    /** The losses of the whole step. */
    double[] losses() {
        List<BlockRun> all = new ArrayList<>();
        List<double[]> values = new ArrayList<>();
        for (int m = 0; m < members.count(); m++) {
            for (int run = 0; run < runs.get(m).size(); run++) {
                all.add(runs.get(m).get(run));
                values.add(losses[m][run]);
            }
        }
        return SliceFold.foldLosses(all, values, lanes);
    }

    double[] numbers() {
        return numbers;
    }

    /** The received parts of a slice, beside this member's own. */
    void addParts(int slice, List<BlockRun> partRuns, List<SliceFold.Part> received) {
        for (int m = 0; m < members.count(); m++) {
            for (int run = 0; m != members.self() && run < runs.get(m).size(); run++) {
                partRuns.add(runs.get(m).get(run));
                received.add(new SliceFold.Part(parts[m][run], partPosition(slice)));
            }
        }
    }
}
