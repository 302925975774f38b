// dotnet run -- BASE_URL API_KEY API_SECRET CARD PORTRAIT   (.NET 8 or newer, nothing to install)
// Not run by this project's tests: there is no .NET where they run.
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{args[1]}:{args[2]}"));
client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", credentials);
using var form = new MultipartFormDataContent
{
    { new ByteArrayContent(await File.ReadAllBytesAsync(args[3])), "img1", "card.jpg" },
    { new ByteArrayContent(await File.ReadAllBytesAsync(args[4])), "img2", "portrait.jpg" },
};
using var response = await client.PostAsync($"{args[0]}/api/v2/ekyc/face_matching?type1=card&format_type=file", form);
response.EnsureSuccessStatusCode();
using var reply = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
var errorCode = reply.RootElement.GetProperty("errorCode").GetString();
if (errorCode != "0")
{
    Console.Error.WriteLine($"error {errorCode}: {reply.RootElement.GetProperty("errorMessage").GetString()}");
    return 1;
}
var data = reply.RootElement.GetProperty("data");
var matching = double.Parse(data.GetProperty("matching").GetString()!, CultureInfo.InvariantCulture);
// ToString() takes the documented profile's string and the observed one's number; GetInt32() would not.
var invalidCode = int.Parse(data.GetProperty("invalidCode").ToString(), CultureInfo.InvariantCulture);
var match = data.GetProperty("match").GetString();
Console.WriteLine(FormattableString.Invariant($"match={match} matching={matching} invalidCode={invalidCode}"));
return 0;
