import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * What a connector is given: standard input has a record's value on each line, standard output the key and the value that
 * the converters and transforms of a connector's configuration (the argument) make of it, as JSON.
 */
public class ConnectTransforms {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    Map<String, String> config = new HashMap<>();
    JsonNode all = json.readTree(new File(args[0])).get("config");
    all.fieldNames().forEachRemaining(name -> config.put(name, all.get(name).asText()));

    Converter keys = converter(config, "key.converter", true);
    Converter values = converter(config, "value.converter", false);
    List<Transformation<SinkRecord>> transforms = new ArrayList<>();
    for (String name : config.get("transforms").split(",")) {
      Map<String, String> own = withPrefix(config, "transforms." + name + ".");
      @SuppressWarnings("unchecked")
      var one = (Transformation<SinkRecord>) Class.forName(own.get("type")).getDeclaredConstructor().newInstance();
      one.configure(own);
      transforms.add(one);
    }

    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null; ) {
      SchemaAndValue key = keys.toConnectData("t", "the window's key".getBytes("UTF-8"));
      SchemaAndValue value = values.toConnectData("t", line.getBytes("UTF-8"));
      SinkRecord record = new SinkRecord("t", 0, key.schema(), key.value(), value.schema(), value.value(), 0);
      for (var one : transforms) record = one.apply(record);
      byte[] document = values.fromConnectData("t", record.valueSchema(), record.value());
      System.out.println(json.writeValueAsString(Map.of("id", record.key(), "document", json.readTree(document))));
    }
  }

  static Converter converter(Map<String, String> config, String name, boolean isKey) throws Exception {
    Converter converter = (Converter) Class.forName(config.get(name)).getDeclaredConstructor().newInstance();
    converter.configure(withPrefix(config, name + "."), isKey);
    return converter;
  }

  static Map<String, String> withPrefix(Map<String, String> config, String prefix) {
    Map<String, String> own = new HashMap<>();
    config.forEach((name, value) -> {
      if (name.startsWith(prefix)) own.put(name.substring(prefix.length()), value);
    });
    return own;
  }
}
