// Every word the page shows, in both languages. Measures are named by the service's own check names.
export const TEXTS = {
  en: {
    other: "Tiếng Việt", credentials: "API credentials", apiKey: "api_key", apiSecret: "api_secret",
    type1: "Image 1 is", card: "an ID card", portrait: "a portrait", image1: "Image 1", image2: "Image 2: portrait",
    drop: "Drop a photo here, or press to choose one", camera: "Use the camera", clear: "Remove", compare: "Compare",
    comparing: "Comparing…", aligned: "as the model sees it", result: "Result", measures: "Measures",
    photo: "Image", measure: "Measure", value: "Value", threshold: "Allowed", outcome: "Outcome",
    wire: "The reply on the wire", curl: "The same call with curl", copy: "Copy", copied: "Copied",
    shoot: "Take the photo", cancel: "Cancel", noCamera: "The camera cannot be used: ",
    privacy: "Photos stay on this machine: they are held in memory for the request and nothing is stored.",
    scenariosOn: "Scenario mode: replies to well-known keys are made up. Not for real use.",
    packNotice: "The model pack “standard” is not installed, so a smaller one is in use: it calls many right persons unsure or no " +
      "match. The command “facematch models add standard” on the server gets it.",
    howSure: "How sure is the pack in use?",
    howSureRight:
      "Of 100 comparisons of one person with himself: 95 match, 3 unsure, 2 no match (LFW); 72 match, 18 unsure, 10 no match (East Asian people).",
    howSureWrong:
      "Of 100,000 comparisons of two people: 0.5 match at random, 2.6 match among East Asian people. A right person is missed more often than a wrong one is matched.",
    uncalibrated: "No calibration is known for this model pack: the percent comes from a conservative generic curve.",
    passed: "fine", warning: "warning", not_assessed: "not assessed", needPhotos: "Two photos are needed.",
    needKeys: "Enter api_key and api_secret (the server prints a pair on its first start).",
    unreachable: "The service does not answer.", odd: "The service answered with an error: ",
    MATCH: "same person", UNSURE: "unsure", NO_MATCH: "not the same person", nothing: "nothing to compare",
    atLeast: "at least", atMost: "at most", scaleLabel: "percent {p} on a scale from 0 to 100; 65 and 75 are the limits",
    noWarnings: "No warning.", warnings: "Warnings: ",
  },
  vi: {
    other: "English", credentials: "Thông tin xác thực API", apiKey: "api_key", apiSecret: "api_secret",
    type1: "Ảnh 1 là", card: "giấy tờ tùy thân", portrait: "ảnh chân dung", image1: "Ảnh 1", image2: "Ảnh 2: chân dung",
    drop: "Thả ảnh vào đây, hoặc bấm để chọn", camera: "Dùng máy ảnh", clear: "Xóa", compare: "So khớp",
    comparing: "Đang so khớp…", aligned: "khuôn mặt sau khi căn chỉnh", result: "Kết quả", measures: "Các phép đo",
    photo: "Ảnh", measure: "Phép đo", value: "Giá trị", threshold: "Cho phép", outcome: "Đánh giá",
    wire: "Phản hồi của API", curl: "Lệnh curl tương đương", copy: "Sao chép", copied: "Đã sao chép",
    shoot: "Chụp", cancel: "Hủy", noCamera: "Không dùng được máy ảnh: ",
    privacy: "Ảnh không rời khỏi máy này: chỉ nằm trong bộ nhớ khi xử lý, không lưu lại gì.",
    scenariosOn: "Chế độ kịch bản: phản hồi cho các khóa định sẵn là giả lập. Không dùng cho mục đích thật.",
    packNotice: "Chưa cài bộ mô hình “standard” nên đang dùng bộ nhỏ hơn: nhiều trường hợp đúng người sẽ bị báo là chưa chắc chắn " +
      "hoặc không khớp. Chạy lệnh “facematch models add standard” trên máy chủ để cài.",
    howSure: "Bộ mô hình đang dùng chính xác đến đâu?",
    howSureRight:
      "Trong 100 lần so hai ảnh của cùng một người: 95 khớp, 3 chưa chắc, 2 không khớp (LFW); 72 khớp, 18 chưa chắc, 10 không khớp (người Đông Á).",
    howSureWrong:
      "Trong 100.000 lần so hai người khác nhau: 0,5 khớp nếu chọn ngẫu nhiên, 2,6 khớp giữa những người Đông Á. Bỏ sót đúng người thường xảy ra hơn nhận nhầm người khác.",
    uncalibrated: "Bộ mô hình này chưa được hiệu chuẩn: phần trăm tính theo đường cong chung thận trọng.",
    passed: "đạt", warning: "cảnh báo", not_assessed: "không đánh giá được", needPhotos: "Cần đủ hai ảnh.",
    needKeys: "Nhập api_key và api_secret (máy chủ in ra một cặp khi khởi động lần đầu).",
    unreachable: "Dịch vụ không phản hồi.", odd: "Dịch vụ báo lỗi: ",
    MATCH: "cùng một người", UNSURE: "chưa chắc chắn", NO_MATCH: "không phải cùng một người", nothing: "không có gì để so khớp",
    atLeast: "ít nhất", atMost: "nhiều nhất", scaleLabel: "{p} phần trăm trên thang 0 đến 100; mốc 65 và 75",
    noWarnings: "Không có cảnh báo.", warnings: "Cảnh báo: ",
  },
};

// invalidMessage stays as the contract words it; this is what it means to a Vietnamese reader.
export const WARNINGS_VI = {
  1: "Không có ảnh giấy tờ", 2: "Ảnh là bản photocopy giấy tờ", 3: "Giấy tờ nghi bị chỉnh sửa",
  4: "Ảnh giấy tờ không có khuôn mặt", 5: "Ảnh chân dung không có khuôn mặt", 6: "Có nhiều hơn một khuôn mặt",
  7: "Đeo kính râm", 8: "Đội mũ", 9: "Đeo khẩu trang", 10: "Ảnh chụp lại, mờ nhiễu hoặc có dấu hiệu giả mạo",
  11: "Khuôn mặt quá nhỏ", 12: "Khuôn mặt quá sát mép ảnh",
};

export const MEASURES_VI = {
  face_confidence: "độ tin cậy phát hiện khuôn mặt", single_face: "tỉ lệ khuôn mặt thứ hai", sunglasses: "kính râm",
  head_covering: "mũ", mask: "khẩu trang", blur: "độ mờ", noise: "nhiễu", over_exposure: "thừa sáng",
  under_exposure: "thiếu sáng", dynamic_range: "dải sáng", recapture: "chụp lại",
  inter_eye_distance: "khoảng cách hai mắt", head_size: "tỉ lệ chiều cao khuôn mặt", crop: "khoảng cách tới mép ảnh",
  document: "có giấy tờ", photocopy: "bản sao đen trắng", portrait_substitution: "ảnh chân dung trên giấy tờ bị thay",
  text_alteration: "chữ trên giấy tờ bị sửa",
};
