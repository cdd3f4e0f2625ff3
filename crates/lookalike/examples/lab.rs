//! Development: build, fit, measure.
use std::fs::File; use std::io::BufReader; use std::time::Instant;
use lookalike::detector::*; use lookalike::index::Index; use lookalike::lab::*; use lookalike::score::Model;
fn open(d:&str,f:&str)->BufReader<File>{BufReader::with_capacity(1<<20,File::open(format!("{d}/{f}")).unwrap())}
fn cpu()->f64{ std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap()/1e3 }
fn main(){
 let a:Vec<String>=std::env::args().collect(); let d=&a[1]; let mode=&a[2];
 let n:usize=a.get(3).and_then(|x|x.parse().ok()).unwrap_or(usize::MAX);
 let t=Instant::now();
 let ids=accounts::identities(open(d,"protected.tsv"),n).unwrap(); println!("read {} in {:?}",ids.len(),t.elapsed());
 let mut det=Detector::default(); let t=Instant::now();
 let index=Index::build(&det.reader,&ids,2); let el=t.elapsed();
 println!("built in {:?} = {:.2} us/id, {:.1} B/id",el,el.as_secs_f64()*1e6/ids.len() as f64,index.memory() as f64/ids.len() as f64);
 for s in index.segments(){ println!("{}", s.parts_of_memory()); }
 drop(ids);
 let q=if d.contains("10m"){"/work/bench/b1m"}else{d};
 let pos=accounts::accounts(open(q,"positives.tsv"),usize::MAX).unwrap();
 let negn=std::env::var("NEG").ok().and_then(|x|x.parse().ok()).unwrap_or(1_000_000);
 let neg=accounts::accounts(open(q,"negatives.tsv"),negn).unwrap();
 let lat=|det:&Detector,index:&Index|{
   let mix:Vec<&accounts::Account>=neg.iter().skip(1).step_by((neg.len()/9000).max(1)).take(9000).chain(pos.iter().step_by(10)).collect();
   for _ in 0..2 { let l=measure::latency(det,index,&mix,&Ask::default()); println!("latency mean {:.1} us p50 {:.1} p99 {:.1} => {:.0}/s",l[0],l[1],l[2],1e6/l[0]); }
 };
 if mode=="stages" {
   let mix:Vec<&accounts::Account>=neg.iter().take(20000).collect(); let mut sc=Scratch::default();
   let t=cpu(); for a in &mix { det.stage(&index,&a.profile,&mut sc,0); } println!("question {:.1}",(cpu()-t)/mix.len() as f64);
   for k in 1..5 { let t=cpu(); let mut c=0; for a in &mix { c+=det.stage(&index,&a.profile,&mut sc,k); } println!("up to stage {k}: {:.1} us, {:.1} candidates",(cpu()-t)/mix.len() as f64,c as f64/mix.len() as f64); }
   return; }
 if mode=="lat" { lat(&det,&index); return; }
 if mode=="fit" {
   let t=Instant::now();
   let data=fit::Labelled{imitations:&pos,unrelated:&neg};
   let s=boost::Settings{ trees: std::env::var("TREES").ok().and_then(|x|x.parse().ok()).unwrap_or(160), ..Default::default()};
   det.model=fit::fit(&det,&index,&data,&s); println!("fit in {:?}",t.elapsed());
   fit::finish(&mut det,&index,&data);
   std::fs::write("/work/bench/model.tsv",det.model.to_text()).unwrap();
 } else { det.model=Model::parse(&std::fs::read_to_string("/work/bench/model.tsv").unwrap()).unwrap(); }
 let p:Vec<_>=pos.iter().filter(|a|!fit::is_for_fitting(a)).collect();
 let ng:Vec<_>=neg.iter().skip(1).step_by(2).collect();
 let rates=[1e-4,1e-3,1e-2];
 let t=Instant::now();
 let show=|r:&measure::Report|{
  let mut m=[0.0f32;5]; let k=r.classes.len() as f32;
  for (c,x) in &r.classes{ println!("{:20} n={:4} {:.3} {:.3} {:.3} top {:.3} cand {:.3}",c,x.count,x.recall[0],x.recall[1],x.recall[2],x.top,x.candidate); for i in 0..3{m[i]+=x.recall[i]/k;} m[3]+=x.top/k; m[4]+=x.candidate/k; }
  println!("MEAN {:.4} {:.4} {:.4} top {:.4} cand {:.4}",m[0],m[1],m[2],m[3],m[4]);
 };
 let r=measure::measure(&det,&index,&p,&ng,&rates); show(&r);
 println!("scores {:?} tags {:?} brier {} explained {:.3}\n{:?} in {:?}",r.scores,r.tags,r.brier,r.explained,r.calibration,t.elapsed());
 if let Ok(f)=File::open(format!("{q}/unseen.tsv")) {
  let un=accounts::accounts(BufReader::new(f),usize::MAX).unwrap(); let u:Vec<_>=un.iter().collect();
  let few:Vec<_>=ng.iter().copied().take(500_000).collect();
  let r=measure::measure(&det,&index,&u,&few,&rates); println!("UNSEEN"); show(&r);
 }
 lat(&det,&index);
}
