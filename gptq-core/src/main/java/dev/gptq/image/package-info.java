/** Pictures to model inputs: decoding with limits, orientation, resizing, cropping, layout, in integer arithmetic. */
package dev.gptq.image;
