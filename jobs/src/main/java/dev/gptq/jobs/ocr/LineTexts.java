package dev.gptq.jobs.ocr;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** Makes up lines of words, numbers, dates and prices. */
final class LineTexts {
    private static final String[] WORDS =
            """
            about above account across after again amount answer before between board book bread bridge bring build
            carry centre change charge child circle city clean clear close coast colour common copper corner country
            course cover current daily dark delivery depart discount double driver early earth engine evening every
            exact export factory family farmer figure finger finish flight flower follow forest forty fresh friend
            garden glass grain green ground growth happy harbour heavy history hotel house hundred invoice island
            journey judge kitchen knowledge large leather letter level library light machine market matter measure
            metal middle minute model money month morning mountain music nature network north number object ocean
            office onward orange order paper part people person picture plant platform pocket point power present
            price print problem product public quality quantity quick quiet railway reason receipt record region
            report result river road round sample school science season second service shadow sharp shipment simple
            small smoke south square station steel stone storm street strong sugar summer supply surface system table
            taxable ticket timber total tower traffic travel tree twenty under unit value vehicle village voyage water
            weather weight window winter wonder work world yellow young zero
            """
                    .trim()
                    .split("\\s+");
    private static final int FEWEST_LETTERS = 5;
    private static final int MOST_LETTERS = 16;

    private LineTexts() {}

    static String next(Random random) {
        int wanted = FEWEST_LETTERS + random.nextInt(MOST_LETTERS - FEWEST_LETTERS + 1);
        List<String> parts = new ArrayList<>();
        int length = 0;
        while (length < wanted) {
            String part = part(random);
            parts.add(part);
            length += part.length() + 1;
        }
        return String.join(" ", parts);
    }

    private static String part(Random random) {
        String word = WORDS[random.nextInt(WORDS.length)];
        return switch (random.nextInt(8)) {
            case 0 -> Integer.toString(random.nextInt(100_000));
            case 1 ->
                String.format(
                        Locale.ROOT,
                        "%d-%02d-%02d",
                        1990 + random.nextInt(50),
                        1 + random.nextInt(12),
                        1 + random.nextInt(28));
            case 2 -> String.format(Locale.ROOT, "%d.%02d", random.nextInt(1000), random.nextInt(100));
            case 3 -> word.toUpperCase(Locale.ROOT);
            case 4 -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
            default -> word;
        };
    }
}
