package dev.gptq.spark.data;

import dev.gptq.config.BadRowsConfig;
import java.io.Serializable;

/**
 * What a store's writer does with bad rows.
 *
 * @param allowed rows that may be left out
 * @param quarantineFolder where they are listed, or null
 * @param quarantineFile name of the list in the folder
 */
record BadRowHandling(BadRowsConfig config, long allowed, String quarantineFolder, String quarantineFile)
        implements Serializable {
    /** Whether the first bad row ends the run. */
    boolean fails() {
        return config.policy() == BadRowsConfig.Policy.FAIL;
    }

    boolean quarantines() {
        return config.policy() == BadRowsConfig.Policy.QUARANTINE;
    }
}
