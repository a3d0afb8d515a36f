/** Text to token ids by a tokenizer.json. */
package dev.gptq.text;
