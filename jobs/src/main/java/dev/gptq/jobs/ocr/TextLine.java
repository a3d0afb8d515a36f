package dev.gptq.jobs.ocr;

/**
 * A picture of one line of text.
 *
 * @param text what is written there
 * @param pixels grey values, 0 black to 255 white, {@link LinePainter#HEIGHT} rows of {@link LinePainter#WIDTH}
 */
record TextLine(String text, byte[] pixels) {}
