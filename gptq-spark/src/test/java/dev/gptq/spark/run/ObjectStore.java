package dev.gptq.spark.run;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** A file system of another scheme, on the local disk, whose rename refuses what is there as s3a's does. */
public final class ObjectStore extends RawLocalFileSystem {
    static final String SCHEME = "objects";

    private URI uri;

    @Override
    public void initialize(URI name, Configuration configuration) throws IOException {
        uri = URI.create(SCHEME + "://" + name.getAuthority());
        super.initialize(name, configuration);
    }

    @Override
    public String getScheme() {
        return SCHEME;
    }

    /** The superclass asks for it before there is a name. */
    @Override
    public URI getUri() {
        return uri == null ? URI.create(SCHEME + ":///") : uri;
    }

    @Override
    public boolean rename(Path source, Path target) throws IOException {
        if (exists(target) && getFileStatus(target).isFile()) {
            throw new FileAlreadyExistsException(target + " is there");
        }
        return super.rename(source, target);
    }
}
