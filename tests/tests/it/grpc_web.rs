//! A browser's way in: gRPC-web over HTTP/1.1, spoken by hand, and its preflight.

use crate::support::story::Story;
use crate::support::{Place, options, start};
use contracts::reports::v1 as proto;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/recourse.reports.v1.ReportsService/FileReport";

/// Sends one HTTP/1.1 request and reads the whole answer.
async fn http(address: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("{head}\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream.write_all(body).await.expect("a body");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    answer
}

/// A message in the frame that gRPC-web puts around it.
fn framed(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend((bytes.len() as u32).to_be_bytes());
    frame.extend(bytes);
    frame
}

fn head(length: usize) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\ncontent-type: application/grpc-web+proto\r\n\
         origin: http://localhost:3000\r\nrecourse-subject: viewer\r\ncontent-length: {length}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_can_file_a_report() {
    let place = Place::each().remove(0);
    let suite = start(options(&place)).await;
    let address = suite.url().replace("http://", "");
    let story = Story::on(&suite.url());
    // Until the default pack is in force the suite says that it is not ready.
    story.file("viewer", &Story::comment("first", "creator")).await;

    let body = framed(&story.report_of(&Story::comment("c", "creator")));
    let answer = http(&address, &head(body.len()), &body).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("access-control-allow-origin: http://localhost:3000"), "{text}");
    assert!(text.contains("grpc-status:0"), "{text}");
    assert!(text.contains("rep_"), "{text}");

    let body = framed(&proto::FileReportRequest::default());
    let answer = http(&address, &head(body.len()), &body).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("grpc-status: 3") || text.contains("grpc-status:3"), "{text}");
    suite.stop().await.expect("a good end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_for_this_host_and_not_for_others() {
    let place = Place::each().remove(0);
    let suite = start(options(&place)).await;
    let address = suite.url().replace("http://", "");
    for (origin, allowed) in [("http://localhost:3000", true), ("https://elsewhere.example", false)]
    {
        let head = format!(
            "OPTIONS {PATH} HTTP/1.1\r\norigin: {origin}\r\n\
             access-control-request-method: POST\r\n\
             access-control-request-headers: content-type,x-grpc-web"
        );
        let answer = http(&address, &head, b"").await;
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let header = format!("access-control-allow-origin: {origin}");
        assert_eq!(text.contains(&header), allowed, "{origin}: {text}");
    }
    suite.stop().await.expect("a good end");
}
