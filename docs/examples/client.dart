// dart run client.dart BASE_URL API_KEY API_SECRET CARD PORTRAIT   (nothing to install)
// Not run by this project's tests: there is no Dart where they run.
import 'dart:convert';
import 'dart:io';

Future<void> main(List<String> args) async {
  final client = HttpClient()..connectionTimeout = const Duration(seconds: 10);
  final address = Uri.parse('${args[0]}/api/v2/ekyc/face_matching?type1=card&format_type=base64');
  final request = await client.postUrl(address);
  final credentials = base64Encode(utf8.encode('${args[1]}:${args[2]}'));
  request.headers.set(HttpHeaders.authorizationHeader, 'Basic $credentials');
  request.headers.contentType = ContentType.json;
  request.write(jsonEncode({
    'img1': base64Encode(await File(args[3]).readAsBytes()),
    'img2': base64Encode(await File(args[4]).readAsBytes()),
  }));
  final response = await request.close().timeout(const Duration(seconds: 30));
  final text = await response.transform(utf8.decoder).join();
  client.close();
  if (response.statusCode != 200) throw HttpException('HTTP ${response.statusCode}');
  final reply = jsonDecode(text) as Map<String, dynamic>;
  if (reply['errorCode'] != '0') {
    stderr.writeln('error ${reply['errorCode']}: ${reply['errorMessage']}');
    exit(1);
  }
  final data = reply['data'] as Map<String, dynamic>;
  // '${...}' takes the documented profile's string and the observed one's number; "as String" would not.
  final invalidCode = int.parse('${data['invalidCode']}');
  print('match=${data['match']} matching=${double.parse(data['matching'])} invalidCode=$invalidCode');
}
