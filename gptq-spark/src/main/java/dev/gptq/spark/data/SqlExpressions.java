package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.util.Locale;
import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;

/** Expressions of a configuration, which may compute with the dataset's columns and do nothing else. */
final class SqlExpressions {
    /** Functions that call any Java method. */
    private static final Set<String> REFLECTION = Set.of("reflect", "try_reflect", "java_method");

    private SqlExpressions() {}

    /** Refuses text that is no expression, and one that would read other data or run other code. */
    static void check(SparkSession spark, String text, String key) {
        Expression parsed;
        try {
            parsed = ((org.apache.spark.sql.classic.SparkSession) spark)
                    .sessionState()
                    .sqlParser()
                    .parseExpression(text);
        } catch (Exception e) {
            // Spark's ParseException is checked in Scala only.
            throw SparkFailures.translate(
                    e, "use " + key + " '" + text + "'", "Correct the Spark SQL expression of data." + key + ".");
        }
        check(parsed, text, key);
    }

    private static void check(Expression expression, String text, String key) {
        boolean reflects = expression instanceof UnresolvedFunction function
                && REFLECTION.contains(function.nameParts().last().toLowerCase(Locale.ROOT));
        if (reflects || expression instanceof SubqueryExpression) {
            throw GptqException.badInput(
                    "Cannot use %s '%s': it %s. Compute with the dataset's own columns.",
                    key, text, reflects ? "calls Java methods" : "reads other data");
        }
        for (var children = expression.children().iterator(); children.hasNext(); ) {
            check(children.next(), text, key);
        }
    }
}
