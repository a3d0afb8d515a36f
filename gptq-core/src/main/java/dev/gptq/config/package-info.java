/**
 * The configuration: immutable, validated records with builders, named as in Model Compression Toolkit, and their
 * YAML form.
 */
package dev.gptq.config;
