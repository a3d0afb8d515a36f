package dev.gptq.config;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.DocumentStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.MappingEndEvent;
import org.yaml.snakeyaml.events.MappingStartEvent;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.events.SequenceEndEvent;
import org.yaml.snakeyaml.events.SequenceStartEvent;
import org.yaml.snakeyaml.events.StreamEndEvent;

/**
 * YAML text -> {@link ConfigNode}. Works on events, so no object is ever constructed from a tag: tags are errors, as are
 * duplicate keys, further documents, and files that are too large, too deep or grow too large through aliases.
 */
final class YamlParser {
    private static final int MAX_CHARACTERS = 1 << 20;
    private static final int MAX_NODES = 20_000;
    private static final int MAX_DEPTH = 30;

    private final String source;
    private final boolean showsLines;
    private final Iterator<Event> events;
    private final Map<String, ConfigNode> anchors = new HashMap<>();
    private final Map<String, Integer> anchorSizes = new HashMap<>();
    private int nodes;

    private YamlParser(String yaml, String source, boolean showsLines) {
        this.source = source;
        this.showsLines = showsLines;
        this.events = new Yaml(new SafeConstructor(new LoaderOptions()))
                .parse(new StringReader(yaml))
                .iterator();
    }

    /** Parses a file; places read "source, line n". An empty file is an empty mapping. */
    static ConfigNode parseFile(String yaml, String source) {
        return parse(yaml, source, true);
    }

    /** Parses one value; places read {@code source}. */
    static ConfigNode parseValue(String yaml, String source) {
        return parse(yaml, source, false);
    }

    private static ConfigNode parse(String yaml, String source, boolean showsLines) {
        if (yaml.length() > MAX_CHARACTERS) {
            throw GptqException.badInput(
                    "Cannot read %s: it has %d characters, more than a configuration may have (%d). Check that it is the "
                            + "right file.",
                    source, yaml.length(), MAX_CHARACTERS);
        }
        try {
            return new YamlParser(yaml, source, showsLines).document();
        } catch (MarkedYAMLException e) {
            throw notYaml(source, e.getProblem(), e.getProblemMark(), e);
        } catch (YAMLException e) {
            throw notYaml(source, e.getMessage(), null, e);
        }
    }

    private static GptqException notYaml(String source, String problem, Mark mark, YAMLException cause) {
        String position = mark == null ? "" : ", line " + (mark.getLine() + 1) + ", column " + (mark.getColumn() + 1);
        String oneLine = String.valueOf(problem).replaceAll("\\s+", " ");
        return new GptqException(
                ErrorCode.BAD_INPUT,
                "Cannot read %s%s: it is not valid YAML (%s). Correct the syntax there or just before."
                        .formatted(source, position, oneLine),
                cause);
    }

    private ConfigNode document() {
        ConfigNode root = null;
        while (events.hasNext()) {
            Event event = events.next();
            if (event instanceof StreamEndEvent) {
                break;
            }
            if (event instanceof DocumentStartEvent) {
                require(root == null, event, "a second document starts", "Keep one document, without a second '---'");
                root = node(events.next(), 0);
            }
        }
        return root == null ? new ConfigNode.Scalar("", true, source) : root;
    }

    private ConfigNode node(Event event, int depth) {
        require(depth <= MAX_DEPTH, event, "it is nested too deeply", "Remove the nesting; no key is that deep");
        if (event instanceof AliasEvent alias) {
            ConfigNode target = anchors.get(alias.getAnchor());
            require(
                    target != null,
                    event,
                    "alias *" + alias.getAnchor() + " has no finished anchor",
                    "Write the value out");
            count(event, anchorSizes.get(alias.getAnchor()));
            return target;
        }
        NodeEvent start = (NodeEvent) event;
        String tag = tag(event);
        require(tag == null, event, "type tag " + tag + " is not allowed", "Remove the tag; each key knows its type");
        int before = nodes;
        count(event, 1);
        ConfigNode result;
        if (event instanceof ScalarEvent scalar) {
            result = new ConfigNode.Scalar(scalar.getValue(), scalar.isPlain(), place(event));
        } else if (event instanceof SequenceStartEvent) {
            result = sequence(event, depth);
        } else {
            result = mapping((MappingStartEvent) event, depth);
        }
        if (start.getAnchor() != null) {
            anchors.put(start.getAnchor(), result);
            anchorSizes.put(start.getAnchor(), nodes - before);
        }
        return result;
    }

    private ConfigNode sequence(Event start, int depth) {
        List<ConfigNode> items = new ArrayList<>();
        for (Event next = events.next(); !(next instanceof SequenceEndEvent); next = events.next()) {
            items.add(node(next, depth + 1));
        }
        return new ConfigNode.Sequence(items, place(start));
    }

    private ConfigNode mapping(MappingStartEvent start, int depth) {
        Map<String, ConfigNode> entries = new LinkedHashMap<>();
        for (Event next = events.next(); !(next instanceof MappingEndEvent); next = events.next()) {
            require(next instanceof ScalarEvent, next, "a key is not a plain word", "Write keys as words");
            String key = ((ConfigNode.Scalar) node(next, depth + 1)).text();
            require(!entries.containsKey(key), next, "key '" + key + "' is there twice", "Remove one of the two");
            entries.put(key, node(events.next(), depth + 1));
        }
        return new ConfigNode.Mapping(entries, place(start));
    }

    private static String tag(Event event) {
        if (event instanceof ScalarEvent scalar) {
            return scalar.getTag();
        }
        return ((CollectionStartEvent) event).getTag();
    }

    private void count(Event event, int added) {
        nodes += added;
        require(
                nodes <= MAX_NODES,
                event,
                "it has more than " + MAX_NODES + " values",
                "Check that it is the right file");
    }

    private void require(boolean holds, Event event, String problem, String remedy) {
        if (!holds) {
            throw GptqException.badInput("Cannot read %s: %s. %s.", place(event), problem, remedy);
        }
    }

    private String place(Event event) {
        return showsLines ? source + ", line " + (event.getStartMark().getLine() + 1) : source;
    }
}
