package dev.gptq.spark.data;

import java.io.IOException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter;
import org.apache.spark.sql.types.StructType;

/**
 * The columns of a Parquet file by its own types. What Spark notes beside them is not looked at: it may name a class of
 * a user-defined type, and Spark would load that, whoever wrote the file.
 */
public final class ParquetSchema {
    private ParquetSchema() {}

    /** The table in a folder of files that all have the columns of the first one. */
    public static Dataset<Row> table(String folder, SparkSession spark) {
        FileStatus first = Files.dataFiles(folder, spark.sparkContext().hadoopConfiguration())
                .get(0);
        try {
            return spark.read().schema(of(first, spark)).parquet(folder);
        } catch (IOException e) {
            throw Files.unreadable(e, "table", folder);
        }
    }

    static StructType of(FileStatus file, SparkSession spark) throws IOException {
        var hadoop = spark.sparkContext().hadoopConfiguration();
        var options = HadoopReadOptions.builder(hadoop, file.getPath()).build();
        try (var reader = ParquetFileReader.open(HadoopInputFile.fromStatus(file, hadoop), options)) {
            var conf = ((org.apache.spark.sql.classic.SparkSession) spark)
                    .sessionState()
                    .conf();
            return new ParquetToSparkSchemaConverter(conf)
                    .convert(reader.getFileMetaData().getSchema());
        }
    }
}
