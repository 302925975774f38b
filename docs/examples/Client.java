// java Client.java BASE_URL API_KEY API_SECRET CARD PORTRAIT   (Java 11 or newer, nothing to install)
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Client {
    public static void main(String[] args) throws Exception {
        String credentials = base64((args[1] + ":" + args[2]).getBytes(StandardCharsets.UTF_8));
        String body = "{\"img1\":\"" + base64(Files.readAllBytes(Path.of(args[3])))
                + "\",\"img2\":\"" + base64(Files.readAllBytes(Path.of(args[4]))) + "\"}";
        HttpRequest request = HttpRequest
                .newBuilder(URI.create(args[0] + "/api/v2/ekyc/face_matching?type1=card&format_type=base64"))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Basic " + credentials)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException("HTTP " + response.statusCode());
        }
        String reply = response.body();
        if (!field(reply, "errorCode").equals("0")) {
            System.err.println("error " + field(reply, "errorCode") + ": " + field(reply, "errorMessage"));
            System.exit(1);
        }
        System.out.println("match=" + field(reply, "match") + " matching="
                + Double.parseDouble(field(reply, "matching"))
                + " invalidCode=" + Integer.parseInt(field(reply, "invalidCode")));
    }

    private static String base64(byte[] data) {
        return Base64.getEncoder().encodeToString(data);
    }

    // Java has no JSON of its own: use Jackson or Gson. The pattern takes strings and numbers, so both profiles.
    private static String field(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\":\\s*\"?([^\",}]*)").matcher(json);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + name + " in the reply");
        }
        return matcher.group(1);
    }
}
