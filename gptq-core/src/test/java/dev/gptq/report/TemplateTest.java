package dev.gptq.report;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TemplateTest {
    @Test
    void twoBracesEscapeAndThreeDoNot() {
        assertThat(Template.fill("{{a}} {{{a}}}", Map.of("a", "<b>&\"'")))
                .isEqualTo("&lt;b&gt;&amp;&quot;&#39; <b>&\"'");
    }

    @Test
    void aListRepeatsItsSectionAndSeesOuterNames() {
        Map<String, Object> values = Map.of("unit", "dB", "rows", List.of(Map.of("v", 1), Map.of("v", 2)));

        assertThat(Template.fill("[{{#rows}}{{v}} {{unit}};{{/rows}}]", values)).isEqualTo("[1 dB;2 dB;]");
    }

    @Test
    void aSectionThatIsFalseIsLeftOut() {
        assertThat(Template.fill("a{{#x}}b{{/x}}c", Map.of("x", false))).isEqualTo("ac");
        assertThat(Template.fill("a{{#x}}b{{/x}}c", Map.of("x", true))).isEqualTo("abc");
    }

    @Test
    void valuesAreNotReadAsTemplates() {
        assertThat(Template.fill("{{a}}", Map.of("a", "{{b}} $1 \\"))).isEqualTo("{{b}} $1 \\");
    }

    @Test
    void aNameWithoutValueIsAnError() {
        assertThatThrownBy(() -> Template.fill("{{missing}}", Map.of())).hasMessageContaining("'missing'");
    }
}
