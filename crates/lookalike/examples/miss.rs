//! Development: what is missed.
use std::fs::File; use std::io::BufReader;
use lookalike::detector::*; use lookalike::index::Index; use lookalike::lab::*; use lookalike::index::gather::Budget;
fn open(d:&str,f:&str)->BufReader<File>{BufReader::with_capacity(1<<20,File::open(format!("{d}/{f}")).unwrap())}
fn main(){
 let a:Vec<String>=std::env::args().collect(); let d=&a[1];
 let ids=accounts::identities(open(d,"protected.tsv"),usize::MAX).unwrap();
 let det=Detector::default();
 let index=Index::build(&det.reader,&ids,2);
 let pos=accounts::accounts(open(d,&a[2]),usize::MAX).unwrap();
 let mut s=Scratch::default();
 let wide=Budget{postings:100_000_000,per_key:1_000_000,comparisons:100_000_000,close:1_000_000};
 let (mut lost,mut narrow)=(std::collections::BTreeMap::<String,(usize,usize,usize)>::new(),0);
 for p in &pos {
  if a.get(3).is_some_and(|c|!p.class.starts_with(c.as_str())) {continue}
  let has=|v:&[Seen]|v.iter().any(|x|Some(x.number)==p.subject);
  let e=lost.entry(p.class.clone()).or_default(); e.0+=1;
  if !has(&det.see(&index,&p.profile,&mut s,&Budget::default())) {
    let w=det.see(&index,&p.profile,&mut s,&wide);
    if has(&w) {e.1+=1; narrow+=1;} else {e.2+=1;}
    if a.len()>4 { let i=&ids[p.subject.unwrap() as usize]; println!("{} {:?} {:?} | {:?} {:?} widefound={} d={} n={}",p.class,p.profile.handle,p.profile.display_name,i.handle,i.display_name,has(&w),p.profile.avatars[0].distance(&i.avatars[0]),w.len()); }
  }
 }
 for (c,(n,x,y)) in &lost { if x+y>0 {println!("{c} {n} dropped {x} unfound {y}");} } println!("{narrow}");
}
