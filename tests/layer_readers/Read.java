// Reads a layer by each of Java's readers: java -cp commons-compress.jar Read.java LAYER. Prints what read.py prints.
import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

class Read {
    interface Digest { String of(InputStream layer) throws Exception; }

    static String sha256(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    static String files(InputStream layer) throws Exception {
        var lines = new TreeSet<String>();
        try (var tar = new TarArchiveInputStream(new GZIPInputStream(layer))) {
            for (TarArchiveEntry entry; (entry = tar.getNextTarEntry()) != null;)
                lines.add(entry.getName().replaceAll("/$", "") + " " + sha256(tar.readAllBytes()) + "\n");
        }
        return sha256(String.join("", lines).getBytes("UTF-8"));
    }

    static void report(String path, String reader, String version, String kind, Digest digest) throws Exception {
        String seen = "", error = "";
        try (var layer = new BufferedInputStream(new FileInputStream(path))) {
            seen = digest.of(layer);
        } catch (Exception exception) {
            error = exception.toString().replaceAll("[\"\\\\\\n]", " ");
        }
        System.out.printf(
            "{\"reader\": \"%s\", \"version\": \"%s\", \"kind\": \"%s\", \"digest\": \"%s\", \"error\": \"%s\"}%n",
            reader, version, kind, seen, error);
    }

    public static void main(String[] arguments) throws Exception {
        String path = arguments[0], java = "Java " + Runtime.version().feature(), commons = arguments[1];
        report(path, "GZIPInputStream", java, "tar", layer -> sha256(new GZIPInputStream(layer).readAllBytes()));
        report(path, "commons-compress gzip", commons, "tar",
            layer -> sha256(new GzipCompressorInputStream(layer).readAllBytes()));
        report(path, "commons-compress tar", commons, "files", Read::files);
    }
}
