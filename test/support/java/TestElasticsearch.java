import java.nio.file.Path;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

/** One node of Elasticsearch. Arguments: its home, and the port of its HTTP. */
public class TestElasticsearch {
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    LogConfigurator.configureESLogging();
    Settings settings = Settings.builder()
        .put("path.home", home.toString())
        .put("node.name", "test")
        .put("cluster.name", "test")
        .put("discovery.type", "single-node")
        .put("network.host", "127.0.0.1")
        .put("transport.port", "0")
        .put("http.port", args[1])
        .build();
    new Node(new Environment(settings, home.resolve("config"))).start();
    Thread.currentThread().join();
  }
}
