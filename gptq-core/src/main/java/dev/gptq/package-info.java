/** What everything shares: failures with a code and a remedy, and the redaction of secrets. */
package dev.gptq;
