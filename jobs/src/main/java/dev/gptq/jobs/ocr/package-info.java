/** An example of a whole project: a text recognizer from a package registry, on lines of text that are drawn here. */
package dev.gptq.jobs.ocr;
