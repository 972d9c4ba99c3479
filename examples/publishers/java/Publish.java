// Publishes the odds of two matches and their goals through Weir's HTTP publisher, a batch for each turn. Java 17 or
// later, no library.
//
//   java Publish.java [turns]    one turn a second, until Ctrl-C without a number

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;

public class Publish {
  private static final String PUBLISHER =
      Objects.requireNonNullElse(System.getenv("WEIR_PUBLISHER"), "http://127.0.0.1:7702");
  private static final String API_KEY = System.getenv("WEIR_API_KEY");
  private static final int MATCHES = 2;
  private static final int TURNS_PER_GOAL = 5;

  private final HttpClient client = HttpClient.newHttpClient();
  private final Random random = new Random();
  private final int[][] goals = new int[MATCHES][2];
  private final long run = System.currentTimeMillis(); // goals of another run have other ids

  public static void main(String[] arguments) throws Exception {
    int turns = arguments.length == 0 ? Integer.MAX_VALUE : Integer.parseInt(arguments[0]);
    Publish publish = new Publish();
    int kept = 0;
    for (int turn = 1; turn <= turns; turn++) {
      List<String> messages = publish.play(turn);
      publish.keep(messages);
      kept += messages.size();
      System.out.printf("turn %d: %d messages kept%n", turn, kept);
      Thread.sleep(1_000);
    }
  }

  /** The messages of a turn. */
  private List<String> play(int turn) {
    List<String> messages = new ArrayList<>();
    if (turn % TURNS_PER_GOAL == 0) {
      int match = random.nextInt(MATCHES);
      goals[match][random.nextInt(2)]++;
      messages.add(String.format(Locale.ROOT, """
          {"lane":"critical","channel":"odds","id":"goal-%d-%d","data":{"match":"match-%d","score":"%s"}}""",
          run, turn, match + 1, score(match)));
    }
    for (int match = 0; match < MATCHES; match++)
      messages.add(String.format(Locale.ROOT, """
          {"lane":"state","channel":"odds","key":"match-%d",\
          "data":{"home":%.2f,"draw":%.2f,"away":%.2f,"score":"%s"}}""",
          match + 1, price(), price(), price(), score(match)));
    return messages;
  }

  /**
   * Sends until all are kept. The publisher answers 200 when the streams have them; after 207, 429 and 503 the same is
   * sent again, which is safe: a stream keeps an id once within two minutes, and a state is the newest value anyway.
   */
  private void keep(List<String> messages) throws InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(PUBLISHER + "/v1/publish"))
        .timeout(Duration.ofSeconds(10))
        .header("content-type", "application/x-ndjson")
        .POST(BodyPublishers.ofString(String.join("\n", messages)));
    if (API_KEY != null) request.header("authorization", "Bearer " + API_KEY);
    while (true) {
      String problem;
      try {
        HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
        int status = response.statusCode();
        if (status == 200) return;
        if (status != 207 && status != 429 && status != 503) throw new IllegalStateException(response.body());
        problem = response.body();
      } catch (IOException error) {
        problem = error.toString();
      }
      System.err.println("not kept, sending again: " + problem);
      Thread.sleep(1_000);
    }
  }

  private String score(int match) {
    return goals[match][0] + "-" + goals[match][1];
  }

  private double price() {
    return 1.2 + random.nextDouble() * 6.8;
  }
}
