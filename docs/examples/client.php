<?php
// php client.php BASE_URL API_KEY API_SECRET CARD PORTRAIT   (needs the curl extension)
// Not run by this project's tests: there is no PHP where they run.
[, $baseUrl, $apiKey, $apiSecret, $card, $portrait] = $argv;
$curl = curl_init($baseUrl . '/api/v2/ekyc/face_matching?type1=card&format_type=file');
curl_setopt_array($curl, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 30,
    CURLOPT_USERPWD => $apiKey . ':' . $apiSecret,
    CURLOPT_POSTFIELDS => ['img1' => new CURLFile($card), 'img2' => new CURLFile($portrait)],
]);
$body = curl_exec($curl);
if ($body === false) {
    throw new RuntimeException(curl_error($curl));
}
if (curl_getinfo($curl, CURLINFO_RESPONSE_CODE) !== 200) {
    throw new RuntimeException('HTTP ' . curl_getinfo($curl, CURLINFO_RESPONSE_CODE));
}
$reply = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
if ($reply['errorCode'] !== '0') {
    fwrite(STDERR, "error {$reply['errorCode']}: {$reply['errorMessage']}\n");
    exit(1);
}
$data = $reply['data'];
// (int) takes the documented profile's string and the observed one's number.
printf("match=%s matching=%s invalidCode=%d\n", $data['match'], (float) $data['matching'], (int) $data['invalidCode']);
