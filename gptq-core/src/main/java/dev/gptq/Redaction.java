package dev.gptq;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes secrets out of text before it goes where others read it: messages, logs, manifests, reports. Secrets do not belong
 * into a configuration, but they get there: a password in an address, a signed link, a key of a file system's settings.
 */
public final class Redaction {
    /** What stands in place of a secret; Spark writes the same. */
    public static final String REPLACEMENT = "*********(redacted)";

    /** scheme://user:password@host; a name alone is none of our business: abfs://container@account has one. */
    private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/\\s:@'\"]*:[^/\\s@'\"]+(?=@)");

    /** Parameters of signed links. */
    private static final Pattern QUERY = Pattern.compile(
            "(?i)(?<=[?&])([\\w.-]*(?:secret|passw|token|credential|signature|key)[\\w.-]*|sig)=[^&#\\s'\"]+");

    /** name=value and name: value, where the name says what the value is. */
    private static final Pattern ASSIGNMENT = Pattern.compile(
            "(?i)\\b([\\w.-]*(?:secret|password|passphrase|credential|access[._-]?key|account[._-]?key|api[._-]?key)[\\w.-]*"
                    + "|[\\w.-]*token)(['\"]?[ \\t]*[=:][ \\t]*['\"]?)(?![\\[{*])[^\\s,;'\"&]+");

    private Redaction() {}

    /** The text without the values of secrets; null stays null. */
    public static String text(String text) {
        if (text == null) {
            return null;
        }
        String addresses = USER_INFO.matcher(text).replaceAll(quoted());
        String links = QUERY.matcher(addresses).replaceAll("$1=" + quoted());
        return ASSIGNMENT.matcher(links).replaceAll("$1$2" + quoted());
    }

    private static String quoted() {
        return Matcher.quoteReplacement(REPLACEMENT);
    }
}
