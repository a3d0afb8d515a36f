package dev.gptq.spark.data;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A dataset in a form that this project does not read: the configuration's {@code reader} names a class with a public
 * constructor without arguments, and {@code allow_user_classes} permits it. Everything else of the dataset's section holds as
 * it does for a table: columns are mapped, filtered, decoded and normalised alike.
 *
 * <p>Rows may come in any order and number of partitions; results do not depend on either as long as the rows are the same
 * each time, for they are read more than once.
 */
public interface SampleReader {
    /**
     * The samples, one per row; read lazily, in the session that the run was given.
     *
     * @param paths what the configuration has as {@code path}; what it means is up to the class
     */
    Dataset<Row> read(SparkSession spark, List<String> paths);

    /**
     * What tells this content from another, such as a table's version: a run is resumed only while it stays equal. The
     * default says that the content never changes under the same paths.
     */
    default List<String> identity(SparkSession spark, List<String> paths) {
        return paths;
    }
}
